"""One video's spans as a table in a terminal: what waited and what worked, from when, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.table import Table

#: A row of `GET /videos/{hash}/timeline`.
SpanJson = Mapping[str, Any]

HEADS = ("stage", "what", "attempt", "from", "seconds", "", "process")


def table(video: Mapping[str, Any], spans: Iterable[SpanJson], now: datetime) -> Table:
    """A row for each span; `from` is in seconds after finalize, or after the first span where that was not yet."""
    spans = list(spans)
    zero = _time(video["finalized_at"]) or min((_start(span) for span in spans), default=now)
    drawn = Table(box=None, header_style="dim")
    for head in HEADS:
        drawn.add_column(head, justify="right" if head in ("attempt", "from", "seconds") else "left")
    for span in spans:
        drawn.add_row(*_cells(span, zero, now))
    return drawn


def _cells(span: SpanJson, zero: datetime, now: datetime) -> tuple[str, ...]:
    began, ended = _start(span), _time(span["ended_at"])
    what = "waits" if span["kind"] == "queue" else f"  {span['name']}" if span["parent_id"] else "works"
    status = "" if span["status"] == "ok" else "goes on" if ended is None else span["status"].replace("_", " ")
    return (
        span["stage"],
        what,
        str(span["attempt"] or ""),
        f"{(began - zero).total_seconds():.2f}",
        f"{((ended or now) - began).total_seconds():.3f}",
        status,
        "" if span["kind"] == "queue" else span["process"],
    )


def _start(span: SpanJson) -> datetime:
    return datetime.fromisoformat(span["started_at"])


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
