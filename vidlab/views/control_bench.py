"""What `vidlab bench-control` measured, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from vidlab.bench.control import Run

SHOWN = ("sql write", "sql read", "blob call")


def rates(runs: Sequence[Run]) -> Table:
    """Videos a second, by how many there were."""
    table = Table("storage", "videos", "seconds", "videos/s", "finalizing", box=None, header_style="dim")
    for run in runs:
        row = (f"{run.videos}", f"{run.seconds:.1f}", f"{run.rate:.1f}", f"{run.finalizing:.1f} s")
        table.add_row(run.storage, *row)
    return table


def processors(runs: Sequence[Run]) -> Table:
    """Processor time per video, in ms, by kind of process."""
    kinds = sorted({kind for run in runs for kind in run.processors})
    table = Table("storage", "videos", *kinds, "sum", box=None, header_style="dim", title="processor time, ms a video")
    for run in runs:
        each = [1000 * run.processors.get(kind, 0.0) / run.videos for kind in kinds]
        table.add_row(run.storage, f"{run.videos}", *(f"{ms:.1f}" for ms in each), f"{sum(each):.1f}")
    return table


def workers(runs: Sequence[Run]) -> Table:
    """What the seven workers together did for a video: how often, and how long a call took."""
    table = Table("storage", "videos", box=None, header_style="dim", title="the workers, for each video")
    for name in ("jobs", *SHOWN):
        table.add_column(name)
    for run in runs:
        cells = []
        for name in ("job", *SHOWN):
            calls, seconds = run.spent.get(f"{name} calls", 0.0), run.spent.get(name, 0.0)
            cells.append(f"{calls / run.videos:.1f} of {1000 * seconds / calls:.1f} ms" if calls else "")
        table.add_row(run.storage, f"{run.videos}", *cells)
    return table


def stages(run: Run) -> Table:
    """Medians of the largest run."""
    title = f"stages, medians of {run.videos} videos, {run.storage}"
    table = Table("stage", "waited", "worked", box=None, header_style="dim", title=title)
    for stage in run.stages:
        table.add_row(stage.name, f"{stage.waited:.2f} s", f"{1000 * stage.worked:.1f} ms")
    return table
