"""`vidlab fault`: break something on purpose, and have it end by itself."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from vidlab.commands.common import Json, State, duration, out, print_json, the_lab

if TYPE_CHECKING:
    from vidlab.lab.faults import Fault
    from vidlab.lab.local import LocalLab

UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
LOOK = 0.2  # seconds between two looks whether it is over


def _seconds(text: str | float | None) -> float | None:
    """`10s`, `500ms`, `2m`, `10`: in seconds."""
    if text is None or isinstance(text, float):
        return text
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *([a-z]*)", text.strip().lower())
    if not found or found[2] not in UNITS:
        raise typer.BadParameter("a time is wanted, such as 10s, 500ms or 2m")
    return float(found[1]) * UNITS[found[2]]


def fault(
    name: Annotated[
        str | None, typer.Argument(help="Which fault; without one they are listed.", metavar="NAME")
    ] = None,
    target: Annotated[
        str, typer.Argument(help="A process, a kind, a link or a video, as the fault wants it.", metavar="TARGET")
    ] = "",
    lasting: Annotated[
        float | None, typer.Option("--for", help="How long: 10s, 500ms, 2m.", parser=_seconds, metavar="TIME")
    ] = None,
    as_json: Json = False,
    state: State = None,
) -> None:
    """Break something on purpose; it ends by itself, by Ctrl-C, and with the lab."""
    from vidlab.lab.faults import FAULTS, fault_named

    if name is None:
        _list(list(FAULTS.values()), as_json)
        return
    row = fault_named(name)
    lab = the_lab(state)
    begun = lab.fault(row.name, target, lasting)
    if as_json:
        print_json(begun)
    else:
        out.print(f"{begun['words']}{_span(begun['seconds'])}")
        out.print(f"  expect: {row.expect}")
    _see_it_over(lab, begun["id"])
    if not as_json:
        out.print(f"over: {row.ends}")


def _span(seconds: float) -> str:
    return f", for {duration(seconds)}" if seconds else ""


def _list(rows: list[Fault], as_json: bool) -> None:
    if as_json:
        columns = ("name", "target", "seconds", "does", "ends", "expect")
        print_json([{column: getattr(row, column) for column in columns} for row in rows])
        return
    table = Table("fault", "target", "for", "what it does", "what to expect", box=None, header_style="dim")
    for row in rows:
        table.add_row(row.name, row.target, duration(row.seconds) if row.seconds else "-", row.does, row.expect)
    out.print(table)
    out.print("\nRun one: vidlab fault NAME [TARGET] [--for 10s]")


def _see_it_over(lab: LocalLab, number: int) -> None:
    try:
        while any(one["id"] == number for one in lab.faults()):
            time.sleep(LOOK)
    except KeyboardInterrupt:
        lab.faults_over(number)
        raise


COMMANDS = (fault,)
