"""`vidlab bench`: what the pipeline costs beside bare FFmpeg."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from vidlab.commands.common import Json, State, out, print_json, the_lab

if TYPE_CHECKING:
    from vidlab.bench import Bench

AIM = 1.10  # finalize to completed, over the same commands started bare


def bench(
    clip: Annotated[Path | None, typer.Argument(help="A video; else 30 s of 1080p made for this.")] = None,
    runs: Annotated[int, typer.Option("--runs", help="How often each way is measured.", min=1)] = 3,
    as_json: Json = False,
    state: State = None,
) -> None:
    """Measure finalize to completed over the same FFmpeg commands started bare. The lab must be up, and idle."""
    from vidlab.bench import bench as measure
    from vidlab.clips import make
    from vidlab.logs import only_warnings

    only_warnings()
    lab = the_lab(state)
    settings = lab.settings()
    source = clip or make("bench", lab.folder.root / "clips")

    def tell(way: str, seconds: float) -> None:
        if not as_json:
            out.print(f"  {way:<10}{seconds:7.1f} s")

    measured = measure(settings, source, runs, tell)
    if as_json:
        print_json(asdict(measured) | {"ratio": measured.ratio})
    else:
        _tell(measured)


def _tell(measured: Bench) -> None:
    piped, bare = median(measured.pipeline), median(measured.bare)
    out.print(f"\npipeline {piped:.1f} s / bare {bare:.1f} s = {measured.ratio:.2f}   (aim {AIM:.2f})")
    out.print(f"of the median run, {measured.hand_over:.2f} s were hand-over: Kafka, queues, polls, the outbox\n")
    table = Table("stage", "waited", "worked", "of which", box=None, header_style="dim")
    for hop in measured.hops:
        parts: Any = ", ".join(f"{name} {spent:.2f} s" for name, spent in hop.parts.items())
        table.add_row(hop.stage, f"{hop.waited:.2f} s", f"{hop.worked:.2f} s", parts)
    out.print(table)


COMMANDS = (bench,)
