"""The log files of a lab's processes: their ends, what is new in them, and a bound on their size."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

LIMIT = 20 * 1024 * 1024  # bytes; then the file is moved to NAME.log.1 and begun anew
LINE = 400  # bytes that a line of a log has at most, as a guess for where to begin to read


@dataclass(frozen=True)
class Piece:
    """A part of a log file, and where to go on."""

    text: str
    offset: int


def tail(path: Path, lines: int) -> Piece:
    """The last lines of a log."""
    size = _size(path)
    span = LINE * max(lines, 1)
    while True:
        text = _read(path, max(0, size - span), size)
        found = text.splitlines()
        if len(found) > lines or span >= size:
            break
        span *= 4
    kept = found[-lines:] if lines > 0 else []
    return Piece("".join(f"{line}\n" for line in kept), size)


def since(path: Path, offset: int) -> Piece:
    """What was written after an offset; all of it when the log was begun anew meanwhile."""
    size = _size(path)
    start = offset if offset <= size else 0
    return Piece(_read(path, start, size), size)


def last_line(path: Path, offset: int = 0) -> str:
    """The last line that says something, written after an offset, in words for people."""
    lines = [line.strip() for line in since(path, max(offset, _size(path) - 64 * 1024)).text.splitlines()]
    return next((plain(line) for line in reversed(lines) if line), "")


def plain(line: str) -> str:
    """The message of a line of JSON; any other line as it is."""
    try:
        record = json.loads(line)
    except ValueError:
        return line
    if not isinstance(record, dict) or "message" not in record:
        return line
    # The last line of a traceback says more than the message that announces it.
    error = str(record.get("exception", "")).strip().splitlines()
    return ": ".join([str(record["message"]), *error[-1:]])


def bound(path: Path, limit: int = LIMIT) -> None:
    """Keep a log from growing without end. Its writer appends, so it goes on at the new beginning."""
    if _size(path) <= limit:
        return
    earlier = path.with_name(f"{path.name}.1")
    try:
        shutil.copyfile(path, earlier)
    except OSError:  # the disk is full: room counts for more than old lines
        earlier.unlink(missing_ok=True)
    with path.open("r+b") as file:
        file.truncate(0)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read(path: Path, start: int, end: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(end - start).decode(errors="replace")
    except OSError:
        return ""
