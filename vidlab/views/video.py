"""One video's way as bars in a terminal, or as a line per change where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

BAR_WIDTH = 20  # characters

#: The answer of `GET /videos/{hash}`.
VideoJson = Mapping[str, Any]

STYLES = {
    "done": "green",
    "failed": "red",
    "skipped": "dim",
    "cancelled": "dim",
    "running": "cyan",
    "waiting": "yellow",
    "queued": "yellow",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One bar: a stage of a video as it is now."""

    name: str
    state: str
    fraction: float
    note: str
    #: Seconds in Kafka, in the queue and between attempts; None when it has not begun to wait.
    waited: float | None
    #: Seconds since a worker began, or that it took.
    worked: float | None
    #: Of real time: 2.0 means a minute of video in half a minute.
    speed: float | None


def rows(video: VideoJson, now: datetime) -> list[Row]:
    """Preprocessing, each profile and the master, in the order of the pipeline."""
    steps = {step["name"]: step for step in video["steps"]}
    around = [[steps[name]] if name in steps else [] for name in ("preprocessing", "master")]
    before, after = ([_row(job, now, None) for job in jobs] for jobs in around)
    return [*before, *(_row(job, now, video["duration"]) for job in video["profiles"]), *after]


def _row(job: Mapping[str, Any], now: datetime, duration: float | None) -> Row:
    queued, started, finished = (_time(job[name]) for name in ("queued_at", "started_at", "finished_at"))
    begun = job["state"] in ("running", "done", "failed") and started
    waited = ((started if begun and started else now) - queued).total_seconds() if queued else None
    worked = ((finished or now) - started).total_seconds() if begun and started else None
    return Row(
        name=job["name"],
        state=job["state"],
        fraction=1.0 if job["state"] in ("done", "skipped") else job["progress"],
        note=_note(job),
        waited=max(0.0, waited) if waited is not None else None,
        worked=max(0.0, worked) if worked is not None else None,
        speed=_over_all(duration, worked) if job["state"] == "done" else job["speed"],
    )


def _over_all(duration: float | None, worked: float | None) -> float | None:
    """The speed of what is done: the last one that a worker told was of its last second."""
    return duration / worked if duration and worked else None


def _note(job: Mapping[str, Any]) -> str:
    match job["state"]:
        case "skipped":
            return f"not needed: {job['error']}"
        case "failed":
            return str(job["error"])
        case "waiting" if job["error"]:
            return f"tries again: {job['error']}"
    return f"attempt {job['attempt']}" if job["attempt"] > 1 else ""


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def picture(video: VideoJson, now: datetime) -> Table:
    """The bars of one video."""
    table = Table.grid(padding=(0, 2))
    for row in rows(video, now):
        bar = ProgressBar(total=1.0, completed=row.fraction, width=BAR_WIDTH, complete_style=STYLES[row.state])
        cells = (_seconds("waited", row.waited), _seconds("worked", row.worked), _speed(row), row.note or _share(row))
        style = STYLES[row.state]
        if row.state == "skipped":
            table.add_row(f"  {row.name}", Text("-" * 3, style=style), "", "", "", Text(row.note, style=style))
        else:
            table.add_row(f"  {row.name}", bar, *cells[:3], Text(cells[3], style=style))
    return table


def _share(row: Row) -> str:
    return f"{row.fraction:.0%}" if row.state == "running" else "" if row.state == "done" else row.state


def _seconds(word: str, value: float | None) -> str:
    return f"{word} {value:.1f} s" if value is not None else ""


def _speed(row: Row) -> str:
    return f"{row.speed:.1f}x" if row.speed else ""


def lines(before: VideoJson | None, video: VideoJson, now: datetime) -> Iterator[str]:
    """What changed between two looks, a line each."""
    known = {row.name: row.state for row in rows(before, now)} if before else {}
    for row in rows(video, now):
        if known.get(row.name) != row.state and row.state not in ("waiting", "queued"):
            yield f"  {row.name:<14}{row.state:<9}{_facts(row)}".rstrip()


def _facts(row: Row) -> str:
    if row.state == "skipped":
        return row.note
    waited, worked = _seconds("waited", row.waited), _seconds("worked", row.worked)
    begun = row.state == "running" and row.fraction == 0  # then what it has worked says nothing yet
    return f"{waited:<15}{'' if begun else worked:<15}{_speed(row):<7}{row.note}".rstrip()


def renditions(video: VideoJson) -> Table:
    """What was made: size, bit rates, segments and seconds of each rendition."""
    table = Table(box=None, padding=(0, 2), header_style="bold")
    for name, justify in (("rendition", "left"), ("size", "left"), ("peak", "right"), ("average", "right")):
        table.add_column(name, justify="left" if justify == "left" else "right")
    table.add_column("segments", justify="right")
    table.add_column("seconds", justify="right")
    for job in video["profiles"]:
        made = job["output"] or {}
        if "segments" in made:
            rates = (f"{made[rate] / 1000:,.0f} kbit/s" for rate in ("bandwidth", "average_bandwidth"))
            size = f"{made['width']}x{made['height']}"
            table.add_row(job["name"], size, *rates, str(len(made["segments"])), f"{made['duration']:.1f}")
    return table
