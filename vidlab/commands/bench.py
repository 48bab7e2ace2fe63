"""`vidlab bench`, `bench-control` and `bench-pressure`: what the pipeline costs, and what it does with too much."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from vidlab.commands.common import Json, State, out, print_json, the_lab

if TYPE_CHECKING:
    from vidlab.bench.ratio import Bench

BOTH = "stubbed,azurite"
CONTROL_AIM = 50  # videos/s
AIM = 1.10  # finalize to completed, over the same commands started bare


def bench(
    clip: Annotated[Path | None, typer.Argument(help="A video; else 30 s of 1080p made for this.")] = None,
    runs: Annotated[int, typer.Option("--runs", help="How often each way is measured.", min=1)] = 3,
    as_json: Json = False,
    state: State = None,
) -> None:
    """Measure finalize to completed over the same FFmpeg commands started bare. The lab must be up, and idle."""
    from vidlab.bench.ratio import bench as measure
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


def bench_control(
    videos: Annotated[str, typer.Option("--videos", help="How many at once, with commas between.")] = "100,1000,5000",
    storage: Annotated[str, typer.Option("--storage", help="stubbed, azurite, or both with a comma.")] = BOTH,
    as_json: Json = False,
    state: State = None,
) -> None:
    """Measure how many videos a second the control plane carries: everything but scanner and encoder.

    It starts a lab of its own beside the one that may be there, which should be idle or down, and removes it.
    """
    from vidlab.bench.control import Run, bench_control
    from vidlab.logs import only_warnings
    from vidlab.views import control_bench as view

    only_warnings()
    sizes, storages = _sizes(videos), _storages(storage)
    folder = the_lab(state).folder.root.with_name(".vidlab-bench")

    def tell(run: Run) -> None:
        if not as_json:
            out.print(f"  {run.storage:<8} {run.videos:>5} videos {run.seconds:7.1f} s {run.rate:6.1f} videos/s")

    runs = bench_control(folder, storages, sizes, tell)
    if as_json:
        print_json([asdict(run) | {"rate": run.rate} for run in runs])
        return
    for table in (view.rates(runs), view.processors(runs), view.workers(runs), view.stages(runs[-1])):
        out.print()
        out.print(table)
    out.print(f"\n(aim with storage stubbed: {CONTROL_AIM} videos/s)")


def bench_pressure(
    videos: Annotated[int, typer.Option("--videos", help="How many are sent.", min=2)] = 500,
    within: Annotated[float, typer.Option("--within", help="Seconds in which they are sent.", min=1.0)] = 50.0,
    as_json: Json = False,
    state: State = None,
) -> None:
    """Send more than the lab can carry, and measure what it does to the API, memory, scratch and order.

    The lab must be up, and idle.
    """
    from vidlab.bench.pressure import bench_pressure
    from vidlab.logs import only_warnings
    from vidlab.views.pressure import picture

    only_warnings()
    lab = the_lab(state)
    with out.status(f"{videos} videos are being sent") as status:
        measured = bench_pressure(lab, videos, videos / within, lambda left: status.update(f"{left} have not ended"))
    if as_json:
        print_json(asdict(measured) | {"slowest_percent": measured.slowest_percent})
    else:
        out.print(picture(measured, lab.settings()))


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(word) for word in text.split(",")]
    except ValueError:
        sizes = [0]
    if min(sizes) < 1:
        raise typer.BadParameter(f"{text} is no list of numbers such as 100,1000", param_hint="--videos")
    return sizes


def _storages(text: str) -> list[str]:
    storages = text.split(",")
    if not set(storages) <= set(BOTH.split(",")):
        raise typer.BadParameter(f"{text} is none of: stubbed, azurite, {BOTH}", param_hint="--storage")
    return storages


COMMANDS = (bench, bench_control, bench_pressure)
