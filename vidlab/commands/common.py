"""What the commands share: options, the terminal, and the lab that is meant."""

from __future__ import annotations

import json
import shutil
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from vidlab.errors import FolderGone
from vidlab.here import here

if TYPE_CHECKING:
    from vidlab.lab.local import LocalLab

PIPE_WIDTH = 200  # columns; whoever reads a pipe wants a row in one line

#: What `vidlab --lab` says: local, compose, or None.
lab_kind: ContextVar[str | None] = ContextVar("lab_kind", default=None)

#: Plain text: file names and log lines must come out as they are.
out = Console(
    highlight=False, markup=False, emoji=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH
)
err = Console(highlight=False, markup=False, emoji=False, soft_wrap=True, stderr=True)


def _or_that_of_vidlab(context: typer.Context, state: Path | None) -> Path | None:
    chosen: Path | None = state or context.find_root().params.get("state")
    return chosen


#: `vidlab up --state X` and `vidlab --state X up` mean the same.
State = Annotated[
    Path | None,
    typer.Option(
        "--state",
        help="The lab's folder; else VIDLAB_STATE, else .vidlab here or in a folder above.",
        callback=_or_that_of_vidlab,
        metavar="DIR",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def the_lab(state: Path | None) -> LocalLab:
    """The lab of that folder."""
    from vidlab.lab.choice import chosen_lab

    return chosen_lab(lab_kind.get(), state)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    out.print(json.dumps(value, indent=2))


def shown(path: Path) -> str:
    """A path as short as it can be written from here."""
    try:
        return str(path.relative_to(here()))
    except (ValueError, FolderGone):  # it is elsewhere, and so may we be
        return str(path)


def vidlab() -> str:
    """What to type for this command line: its name where the search path leads to it, else where it is from here."""
    program = Path(sys.argv[0])
    found = shutil.which("vidlab")
    if program.name != "vidlab" or (found and Path(found).absolute() == program.absolute()):
        return "vidlab"
    return shown(program.absolute())


def duration(seconds: float) -> str:
    """A time span for people: `8 s`, `14 min`, `2 h 5 min`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(count: float) -> str:
    """A number of bytes for people: `1.1 MB`."""
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while count >= 1000 and unit != "TB":
        count, unit = count / 1000, next(units)
    return f"{count:.0f} {unit}" if count >= 100 or unit == "B" else f"{count:.1f} {unit}"
