"""The commands of `vidlab`, a module per topic; `vidlab.cli` puts them together.

What a command needs beyond the terminal is imported when it runs, so that `vidlab --help` is there at once.
"""
