"""A video's spans as a chart, where no widget can run."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from vidlab.views.gantt_html import gantt

NOW = datetime.fromisoformat("2026-01-02T03:04:25+00:00")
PROFILES = ("144p", "thumbnail")


def second(value: float) -> str:
    return f"2026-01-02T03:04:{value:06.3f}+00:00"


def video(**of: Any) -> dict[str, Any]:
    usual = {"video_hash": "ab" * 16, "title": "a <b>title</b>", "filename": "x.mp4", "status": "completed"}
    times = {"finalized_at": second(10), "ended_at": second(20)}
    return {**usual, **times, "profiles": [{"name": name} for name in PROFILES], **of}


def span(stage: str, begin: float, end: float | None, **of: Any) -> dict[str, Any]:
    ended = second(end) if end is not None else None
    usual = {
        "span_id": f"{stage}{begin}",
        "parent_id": None,
        "name": stage,
        "kind": "work",
        "process": f"worker-{stage}.1",
    }
    return {**usual, "stage": stage, "attempt": 1, "started_at": second(begin), "ended_at": ended, "status": "ok", **of}


def places(drawn: str) -> list[tuple[float, float]]:
    return [(float(left), float(width)) for left, width in re.findall(r"left:([\d.]+)%;width:([\d.]+)%", drawn)]


def test_bars_stand_where_their_spans_are_in_time() -> None:
    spans = [span("144p", 10, 12.5, kind="queue", name="queue"), span("144p", 12.5, 20)]
    drawn = gantt(video(), spans, NOW)
    assert places(drawn) == [(0.0, 25.0), (25.0, 75.0)]
    assert "waited 2.5 s, worked 7.5 s" in drawn
    assert "completed 10.0 s after finalize" in drawn
    assert "144p: 144p, attempt 1, 7.500 s" in drawn


def test_rows_are_in_the_order_of_the_pipeline() -> None:
    drawn = gantt(video(), [span(name, 10, 20) for name in ("master", "144p", "upload", "thumbnail")], NOW)
    first = [drawn.index(f">{name}<") for name in ("upload", "preprocessing", *PROFILES, "master")]
    assert first == sorted(first)


def test_what_lasts_goes_on_until_now() -> None:
    drawn = gantt(video(ended_at=None, status="processing"), [span("144p", 10, None, status="open")], NOW)
    assert places(drawn) == [(0.0, 100.0)]
    assert "15.000 s, open" in drawn


def test_a_lost_attempt_is_told_in_words_and_colour() -> None:
    drawn = gantt(video(), [span("144p", 10, 12, status="lost"), span("144p", 14, 20, attempt=2)], NOW)
    assert "attempt 1 lost" in drawn
    assert drawn.count("#cf222e") == 1


def test_of_a_long_upload_the_last_part_is_shown() -> None:
    drawn = gantt(video(finalized_at=second(40)), [span("upload", 0, 40), span("144p", 40, 48)], NOW)
    assert places(drawn) == [(0.0, 20.0), (20.0, 80.0)]


def test_without_spans_and_with_an_evil_title_it_is_drawn() -> None:
    drawn = gantt(video(), [], NOW)
    assert "<b>title" not in drawn
    assert places(drawn) == []
