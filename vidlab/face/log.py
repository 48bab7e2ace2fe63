"""Lines of a log that draw themselves."""

from __future__ import annotations

import html


class Log:
    """The end of a process's log."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        style = "max-height:24em;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere"
        return f'<pre style="{style}">{html.escape(self.text)}</pre>'
