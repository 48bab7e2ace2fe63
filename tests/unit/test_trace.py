"""Spans as sums."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from vidlab.models import Span
from vidlab.trace import hops

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def span(stage: str, name: str, begin: float, end: float | None, **facts: Any) -> Span:
    ended = NOON + timedelta(seconds=end) if end is not None else None
    usual: dict[str, Any] = {
        "span_id": f"{stage}{name}{begin}",
        "parent_id": None,
        "video_hash": "v",
        "kind": "work",
        "process": "p",
    }
    usual |= {"attempt": 1, "status": "ok"}
    return Span(stage=stage, name=name, started_at=NOON + timedelta(seconds=begin), ended_at=ended, **(usual | facts))


def test_waiting_is_told_apart_from_work_and_attempts_add_up() -> None:
    (hop,) = hops(
        [
            span("360p", "queue", 0, 1, kind="queue"),
            span("360p", "360p", 1, 4),
            span("360p", "encode", 2, 3, parent_id="x"),
            span("360p", "queue", 4, 4.5, kind="queue"),
            span("360p", "360p", 4.5, 6.5),
            span("360p", "encode", 5, 6, parent_id="y"),
        ]
    )
    assert (hop.waited, hop.worked, hop.attempts) == (1.5, 5.0, 2)
    assert hop.parts == {"encode": 2.0}


def test_what_is_still_open_counts_as_nothing() -> None:
    (hop,) = hops([span("360p", "360p", 1, None)])
    assert hop.worked == 0
