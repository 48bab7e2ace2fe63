"""Entry points without logic: one module per kind of process."""
