"""`vidlab check load`: a load of videos with a known end, and the verdict about what became of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from vidlab.commands.common import Json, State, out, print_json, the_lab

BOUND = 60.0  # seconds

Clips = Annotated[
    list[str], typer.Option("--clip", help="A clip of `python -m vidlab.clips --list`; several are sent in turn.")
]


def check(
    bound: Annotated[
        float, typer.Option("--bound", help="Seconds within which a video must have ended.", min=0)
    ] = BOUND,
    decode: Annotated[bool, typer.Option("--decode/--no-decode", help="Fetch and decode every segment.")] = True,
    as_json: Json = False,
    state: State = None,
) -> None:
    """Judge the lab: is anything lost, stuck, twice, wrong or leaked? Exit code 0 only when nothing is."""
    from vidlab.lab.case import Terms
    from vidlab.lab.check import check as judge
    from vidlab.lab.evidence import collect
    from vidlab.lab.history import read_all
    from vidlab.logs import only_warnings
    from vidlab.views.verdict import picture

    only_warnings()
    lab = the_lab(state)
    # The history first: of what is told after this, the rows know already.
    history = read_all(lab.folder.root)
    verdict = judge(history, collect(lab, play=decode), Terms(bound=bound))
    if as_json:
        print_json(verdict.as_json())
    else:
        out.print(picture(verdict))
    if not verdict.well:
        raise typer.Exit(1)


def load(
    videos: Annotated[int, typer.Argument(help="How many.", min=1, metavar="N")],
    clip: Clips = ["tiny"],  # noqa: B006  # typer reads it, nobody changes it
    rate: Annotated[float, typer.Option("--rate", help="Videos a second.", min=0.01)] = 2.0,
    clients: Annotated[int, typer.Option("--clients", help="How many send at once.", min=1, max=64)] = 4,
    state: State = None,
) -> None:
    """Send many short videos, and keep a history of what the clients were told, for `vidlab check`."""
    from vidlab.clips import CLIPS
    from vidlab.lab.history import Writer
    from vidlab.lab.workload import items, run
    from vidlab.logs import only_warnings

    only_warnings()
    if unknown := [name for name in clip if name not in CLIPS]:
        raise typer.BadParameter(f"there is no clip {unknown[0]}; python -m vidlab.clips --list shows them")
    settings = the_lab(state).settings()
    with Writer(settings.state, f"load-{datetime.now(UTC):%Y%m%dT%H%M%S%f}") as writer:
        history = run(items(videos, clip, rate), settings, writer, clients=clients)
    told = sum(1 for one in history.videos if one.finalized)
    out.print(f"{told} of {videos} videos finalized; what becomes of them: vidlab check")
    if told < videos:
        raise typer.Exit(1)


COMMANDS = (check, load)
