"""`vidlab up down reset status logs scale kill pause resume restart`: the lab and its processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from vidlab.commands.common import Json, State, duration, out, print_json, shown, size, the_lab
from vidlab.commands.progress import Arrivals
from vidlab.errors import DependencyAway

if TYPE_CHECKING:
    from pathlib import Path

    from vidlab.lab.local import LocalLab
    from vidlab.lab.logs import Piece

FOLLOW = 0.3  # seconds between two looks at a log

Name = Annotated[
    str,
    typer.Argument(help="A process, such as worker-360p.1, or a kind, such as worker-360p.", metavar="NAME"),
]


def up(
    links: Annotated[bool, typer.Option("--links", help="With links that faults can slow, cut and reset.")] = False,
    state: State = None,
) -> None:
    """Start the lab, and return when everything in it is ready."""
    lab = the_lab(state)
    if links:
        lab.env["VIDLAB_LINKS"] = "1"
    status = lab.status()
    if status.state == "up":
        out.print(f"The lab in {shown(lab.folder.root)} is up: {status.api_url}")
        return
    with Arrivals(shown(lab.folder.root)) as arrivals:
        lab.up(arrivals.tell)
    if not arrivals.seen:
        out.print(f"  Somebody else has started it meanwhile: {lab.status().api_url}")


def down(state: State = None) -> None:
    """Take the lab down, leave no process, and keep the data."""
    lab = the_lab(state)
    if not lab.folder.is_lab:
        _tell_there_is_none(lab)
        return
    was_up = lab.running
    lab.down()
    out.print(f"The lab in {shown(lab.folder.root)} {'is' if was_up else 'was'} down; its data is kept.")


def reset(state: State = None) -> None:
    """Take the lab down and forget its data: videos, messages, logs."""
    lab = the_lab(state)
    if not lab.folder.is_lab:
        _tell_there_is_none(lab)
        return
    freed = lab.folder.disk_bytes()
    lab.reset()
    out.print(f"The lab in {shown(lab.folder.root)} is forgotten; {size(freed)} of disk are free again.")


def _tell_there_is_none(lab: LocalLab) -> None:
    out.print(f"There is no lab in {shown(lab.folder.root)}.")


def status(as_json: Json = False, state: State = None) -> None:
    """Show what runs, and where."""
    lab = the_lab(state)
    told = lab.status()
    doing = _doing(lab) if told.state != "down" else {}
    told = replace(told, processes=[replace(one, note=doing.get(one.name, one.note)) for one in told.processes])
    if as_json:
        print_json(told.as_json())
        return
    folder, disk = shown(lab.folder.root), size(told.disk_bytes)
    if told.state == "down":
        out.print(f"lab {folder} is down, {disk} on disk; start it with: vidlab up")
        return
    out.print(f"lab {folder}, {told.state} {duration(time.time() - (told.since or 0))}, {told.api_url}, {disk} on disk")
    table = Table("process", "state", "pid", "up", "restarts", "", box=None, header_style="dim", pad_edge=True)
    for one in told.processes:
        shown_state = "stopping" if one.stopping else one.state
        span = duration(one.uptime) if one.uptime is not None else "-"
        table.add_row(one.name, shown_state, str(one.pid or "-"), span, str(one.restarts), one.note)
    out.print(table)


def _doing(lab: LocalLab) -> dict[str, str]:
    """What each worker does now; nothing is known while the database is away."""
    from vidlab.observe.workers import notes

    try:
        return notes(lab.settings())
    except DependencyAway:
        return {}


def logs(
    name: Name,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.", min=0)] = 50,
    state: State = None,
) -> None:
    """Show the end of a log; `supervisor` is there too."""
    from vidlab.lab.logs import since, tail

    lab, offsets = the_lab(state), dict[str, int]()

    def show(read: Callable[[Path, int], Piece], begin: int) -> None:
        files = lab.log_files(name)  # asked each time: a process may be new
        for process, path in files.items():
            piece = read(path, offsets.get(process, begin))
            _show(piece.text, process, len(files))
            offsets[process] = piece.offset

    show(tail, lines)
    while follow:
        time.sleep(FOLLOW)
        show(since, 0)


def _show(text: str, process: str, files: int) -> None:
    prefix = f"{process}  " if files > 1 else ""
    for line in text.splitlines():
        out.print(f"{prefix}{line}")


def scale(
    kind: Annotated[str, typer.Argument(help="A kind, such as worker-1080p or consumer-360p.", metavar="KIND")],
    count: Annotated[int, typer.Argument(help="How many are wanted.", metavar="COUNT")],
    state: State = None,
) -> None:
    """Change how many of a kind there are; those that are too many finish their task first."""
    before = the_lab(state).scale(kind, count)
    out.print(f"{kind}: {count} wanted, before {before}")


def kill(
    name: Annotated[str, typer.Argument(help="A process, a kind, or the pid of one of the lab's processes.")],
    state: State = None,
) -> None:
    """End processes at once, with all that they started; the lab starts them again."""
    _report("killed", the_lab(state).kill(name))


def pause(name: Name, state: State = None) -> None:
    """Stop processes where they stand: alive, but silent."""
    _report("paused", the_lab(state).pause(name))


def resume(name: Name, state: State = None) -> None:
    """Let paused processes go on."""
    _report("resumed", the_lab(state).resume(name))


def restart(name: Name, state: State = None) -> None:
    """Let processes finish what they have in hand, then start them again."""
    _report("restarting", the_lab(state).restart(name))


def _report(done: str, names: list[str]) -> None:
    out.print(f"{done} {', '.join(names)}")


#: How a command reads its words, where it is not as usual: a negative number is no option.
READING: dict[Callable[..., None], dict[str, bool]] = {scale: {"ignore_unknown_options": True}}

COMMANDS = (up, down, reset, status, logs, scale, kill, pause, resume, restart)
