"""What `vidlab bench-pressure` measured, as a table."""

from __future__ import annotations

from statistics import median

from rich.table import Table

from vidlab.bench.pressure import Pressure
from vidlab.settings import MIB, Settings

AIM = 0.25  # seconds for 99 of 100 lists of videos


def picture(measured: Pressure, settings: Settings) -> Table:
    """Each promise, and what was seen of it."""
    samples = measured.samples
    table = Table("what", "seen", "aim", box=None, header_style="dim")
    ends = ", ".join(f"{count} {status}" for status, count in measured.ends.items())
    table.add_row("videos", f"{measured.videos}: {ends}", "all completed")
    table.add_row("finalized after", f"{measured.sending:.1f} s", "60 s for 500")
    table.add_row("ended after", f"{measured.ending:.1f} s", "")
    table.add_row("GET /videos, median", f"{1000 * median(samples.answers):.0f} ms of {len(samples.answers)}", "")
    table.add_row("GET /videos, 99 of 100", f"{1000 * measured.slowest_percent:.0f} ms", f"{1000 * AIM:.0f} ms")
    table.add_row("GET /videos, slowest", f"{1000 * max(samples.answers):.0f} ms", "")
    table.add_row("waiting in a queue, at most", f"{max(samples.waiting.values())}", "2 for each worker")
    table.add_row("lag of a group, at most", f"{max(samples.lag.values())}", "the backlog")
    table.add_row("overtaken in a partition", f"{measured.overtaken}", "0")
    granted = settings.max_scratch_bytes // MIB
    table.add_row("scratch, at most", f"{samples.scratch / MIB:.1f} MiB", f"{granted} MiB for each worker")
    for kind, (first, most) in sorted(samples.memory.items()):
        table.add_row(f"memory of {kind}", f"{first / MIB:.0f} MiB at first, {most / MIB:.0f} at most", "")
    return table
