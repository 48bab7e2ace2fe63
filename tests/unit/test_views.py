"""One video's way, drawn from the API's answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from vidlab.models import State
from vidlab.views.video import lines, picture, renditions, rows

NOON = datetime(2026, 1, 1, 12, 0, 10, tzinfo=UTC)


def job(name: str, state: str, **facts: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"progress": 0.0, "speed": None, "error": None, "attempt": 1, "output": None}
    times = dict.fromkeys(("queued_at", "started_at", "finished_at"))
    return {"name": name, "state": state} | usual | times | facts


def video(*profiles: dict[str, Any]) -> dict[str, Any]:
    return {"profiles": list(profiles), "steps": [], "duration": 20.0}


def at(second: int) -> str:
    return f"2026-01-01T12:00:{second:02}Z"


DONE = job("144p", "done", queued_at=at(1), started_at=at(3), finished_at=at(8), speed=0.1)
RUNNING = job("360p", "running", queued_at=at(1), started_at=at(6), progress=0.5)
WAITING = job("480p", "queued", queued_at=at(4), started_at=at(2), attempt=1)
SKIPPED = job("1080p", "skipped", error="the source has 720 lines", queued_at=at(1))
FAILED = job("720p", "failed", queued_at=at(1), started_at=at(2), finished_at=at(4), error="it broke", attempt=3)


def text(drawn: object) -> str:
    console = Console(width=120)
    with console.capture() as captured:
        console.print(drawn)
    return captured.get()


def test_waiting_is_told_apart_from_work() -> None:
    done, running, waiting = rows(video(DONE, RUNNING, WAITING), NOON)
    assert (done.waited, done.worked) == (2.0, 5.0)
    assert (running.waited, running.worked) == (5.0, 4.0)
    assert (waiting.waited, waiting.worked) == (6.0, None)  # what an attempt before worked is not counted


def test_bars_show_share_speed_and_reasons() -> None:
    drawn = text(picture(video(DONE, RUNNING, SKIPPED, FAILED), NOON))
    for words in ("4.0x", "50%", "not needed: the source has 720 lines", "it broke"):
        assert words in drawn


def test_every_state_of_a_job_can_be_drawn() -> None:
    drawn = text(picture(video(*(job(f"stage-{state}", state) for state in State)), NOON))
    assert all(f"stage-{state}" in drawn for state in State)


def test_without_a_terminal_each_change_is_a_line_once() -> None:
    before = video(job("144p", "waiting"), RUNNING)
    after = video(DONE, RUNNING, SKIPPED)
    assert list(lines(before, after, NOON)) == [
        "  144p          done     waited 2.0 s   worked 5.0 s   4.0x",
        "  1080p         skipped  not needed: the source has 720 lines",
    ]
    assert list(lines(after, after, NOON)) == []


def test_renditions_are_listed_as_they_were_measured() -> None:
    made = {"width": 256, "height": 144, "bandwidth": 250_000, "average_bandwidth": 200_000, "duration": 5.3}
    drawn = text(renditions(video(DONE | {"output": made | {"segments": [{}]}}, SKIPPED)))
    assert "256x144" in drawn
    assert "250 kbit/s" in drawn
    assert "1080p" not in drawn
