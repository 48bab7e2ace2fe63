"""The words of the command line about videos, over an API that answers as it is told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.test_waiting import HASH, Told, video
from vidlab.cli import main

SPANS = [
    {"stage": "720p", "name": "720p", "kind": "queue", "parent_id": None, "process": "", "attempt": 1}
    | {"started_at": "2026-01-01T00:00:01Z", "ended_at": "2026-01-01T00:00:03Z", "status": "ok"},
    {"stage": "720p", "name": "720p", "kind": "work", "parent_id": None, "process": "worker-720p.1", "attempt": 1}
    | {"started_at": "2026-01-01T00:00:03Z", "ended_at": "2026-01-01T00:00:04.500Z", "status": "lost"},
    {"stage": "720p", "name": "encode", "kind": "work", "parent_id": "x", "process": "worker-720p.2", "attempt": 2}
    | {"started_at": "2026-01-01T00:00:05Z", "ended_at": None, "status": "open"},
]
Vidlab = Callable[..., tuple[int, str]]


@pytest.fixture
def vidlab(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Vidlab:
    """Types a command to an API that gives these answers; its exit code, and what it printed."""

    def run(answers: list[Any], *words: str) -> tuple[int, str]:
        monkeypatch.setattr("vidlab.commands.videos._client", lambda _state: Told(*answers))
        monkeypatch.setattr(sys, "argv", ["vidlab", *words])
        with pytest.raises(SystemExit) as end:
            main()
        told = capsys.readouterr()
        return int(end.value.code or 0), told.out + told.err

    return run


COMPLETED = video("completed", "done") | {"filename": "film.mp4", "master_url": "http://x/master.m3u8"}
FAILED = video("failed", "cancelled", "it is text.") | {"filename": "text.mp4", "master_url": None}


def test_a_video_is_shown_as_it_is_now(vidlab: Vidlab) -> None:
    code, told = vidlab([video("processing", "running")], "video", HASH)
    assert code == 0
    assert f"film   video {HASH}   processing" in told
    assert "720p" in told
    code, told = vidlab([FAILED], "video", HASH, "--json")
    assert (code, json.loads(told)["status"]) == (0, "failed")


def test_waiting_is_well_only_when_all_are_completed(vidlab: Vidlab) -> None:
    going = video("processing", "running")
    code, told = vidlab([going, going, COMPLETED], "wait", HASH)
    assert (code, "film.mp4   completed" in told) == (0, True)
    code, told = vidlab([going, going, FAILED], "wait", HASH)
    assert (code, "text.mp4   failed in preprocessing" in told) == (1, True)
    code, told = vidlab([COMPLETED], "wait", HASH, HASH, "--json")
    assert (code, [json.loads(line)["status"] for line in told.splitlines()]) == (0, ["completed"] * 2)


def test_a_wait_gives_up_in_time(vidlab: Vidlab) -> None:
    code, told = vidlab([video("processing")], "wait", HASH, "--timeout", "0.1")
    assert (code, "has not ended after 0 s" in told) == (1, True)


def test_what_failed_is_begun_again(vidlab: Vidlab) -> None:
    code, told = vidlab([FAILED, video("preprocessing")], "retry", HASH)
    assert (code, told) == (0, "video abababab   preprocessing again\n")
    code, told = vidlab([FAILED, video("preprocessing")], "retry", HASH, "--json")
    assert json.loads(told)["status"] == "preprocessing"


def test_a_timeline_tells_waiting_from_work(vidlab: Vidlab) -> None:
    going = video("processing") | {"finalized_at": "2026-01-01T00:00:00+00:00"}
    code, told = vidlab([going, {"spans": SPANS}], "timeline", HASH)
    _, waits, works, encode = (line.split() for line in told.splitlines())
    assert code == 0
    assert waits == ["720p", "waits", "1", "1.00", "2.000"]
    assert works == ["720p", "works", "1", "3.00", "1.500", "lost", "worker-720p.1"]
    assert encode[:4] == ["720p", "encode", "2", "5.00"]
    assert encode[5:] == ["goes", "on", "worker-720p.2"]
    _, told = vidlab([going, {"spans": SPANS}], "timeline", HASH, "--json")
    assert json.loads(told) == SPANS


def test_a_timeline_without_spans_is_empty(vidlab: Vidlab) -> None:
    code, told = vidlab([video("uploading"), {"spans": []}], "timeline", HASH)
    assert (code, len(told.splitlines())) == (0, 1)
