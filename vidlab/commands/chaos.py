"""`vidlab chaos`: rounds of faults under load, and a verdict about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vidlab.commands.common import State, out, shown, the_lab
from vidlab.commands.progress import Arrivals

if TYPE_CHECKING:
    from vidlab.lab.chaos import Outcome, Planned
    from vidlab.lab.local import LocalLab


def chaos(
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same rounds.")] = 7,
    rounds: Annotated[int, typer.Option("--rounds", help="How many there are.", min=1)] = 20,
    only: Annotated[int | None, typer.Option("--round", help="Run this one alone.", min=1)] = None,
    videos: Annotated[int, typer.Option("--videos", help="How many are sent in a round.", min=1)] = 50,
    bound: Annotated[
        float, typer.Option("--bound", help="Seconds after the last fault within which each video must have ended.")
    ] = 60.0,
    state: State = None,
) -> None:
    """Kill processes and take servers away while videos come in. Exit code 0 only when nothing came to harm.

    A lab that is not up is started, and taken down afterwards.
    """
    from vidlab.lab.chaos import plan, run_round
    from vidlab.logs import only_warnings

    only_warnings()
    planned = plan(seed, rounds)
    if only is not None and only > rounds:
        raise typer.BadParameter(f"there are {rounds} rounds")
    lab = the_lab(state)
    was_up = _up(lab)
    try:
        wanted = [one for one in planned if only in (None, one.number)]
        ended = []
        for one in wanted:
            out.print(f"round {one.number} of {rounds}, seed {seed}: {videos} videos")
            outcome = run_round(lab, seed, one, videos, bound=bound, on_fault=_tell_fault)
            _tell(outcome)
            ended.append(outcome)
        whole = _whole(lab)
    finally:
        if not was_up:
            lab.down()
    bad = [str(outcome.number) for outcome in ended if not outcome.well]
    out.print(f"{len(ended) - len(bad)} of {len(ended)} rounds were well" + (f"; not {', '.join(bad)}" if bad else ""))
    if bad or not whole:
        raise typer.Exit(1)


def _up(lab: LocalLab) -> bool:
    """Bring the lab up; gives whether it was so before."""
    if lab.status().state == "up":
        return True
    with Arrivals(shown(lab.folder.root)) as arrivals:
        lab.up(arrivals.tell)
    return False


def _tell_fault(fault: Planned) -> None:
    out.print(f"  {fault.begin:5.1f} s  {fault}")


def _tell(outcome: Outcome) -> None:
    from vidlab.views.verdict import picture

    for reason in outcome.not_run:
        out.print(f"  not run: {reason}")
    when = "before" if outcome.seconds < 0 else "after"
    out.print(f"  the last video ended {abs(outcome.seconds):.1f} s {when} the end of the last fault")
    out.print(picture(outcome.verdict))
    out.print()


def _whole(lab: LocalLab) -> bool:
    """A last look at all that the rounds left together; what was played is not played again."""
    from vidlab.lab.check import check
    from vidlab.lab.evidence import collect
    from vidlab.lab.history import read_all
    from vidlab.views.verdict import picture

    verdict = check(read_all(lab.folder.root), collect(lab, play=False))
    out.print("the lab as a whole, after all")
    out.print(picture(verdict))
    return verdict.well


COMMANDS = (chaos,)
