"""Drawing, no input or output: pictures as pure functions of rows."""
