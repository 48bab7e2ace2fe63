"""Answers of the lab as data frames."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

from vidlab.face import frames
from vidlab.lab.purposes import purpose
from vidlab.lab.spec import make_spec
from vidlab.lab.status import ProcessStatus


def process(name: str, **facts: object) -> ProcessStatus:
    known = {"kind": name.split(".")[0], "pid": None, "state": "running", "restarts": 0, **facts}
    return ProcessStatus(name=name, **known)  # type: ignore[arg-type]


def test_processes_are_shown_with_what_they_do() -> None:
    found = [process("init", state="done"), process("worker-360p.1", pid=4711, note="started")]
    shown = frames.processes(found, {"worker-360p.1": "video 7f3a 360p 62%"})
    assert list(shown["note"]) == ["", "video 7f3a 360p 62%"]
    assert str(shown.loc["worker-360p.1", "pid"]) == "4711", "a whole number, though another has none"


def test_each_kind_of_process_has_a_purpose() -> None:
    told = {kind.name: purpose(kind.name) for kind in make_spec()}
    assert len(set(told.values())) == len(told), "each says something of its own"
    assert "{" not in "".join(told.values())


def test_an_empty_answer_has_all_its_columns() -> None:
    assert list(frames.videos([]).columns) == list(frames.VIDEOS)
    assert list(frames.spans([]).columns) == list(frames.SPANS)


def test_spans_have_seconds_and_times() -> None:
    span = {
        "stage": "360p", "name": "360p", "kind": "work", "process": "worker-360p.1", "attempt": 1,
        "started_at": "2026-11-24T02:00:00Z", "ended_at": "2026-11-24T02:00:01.500000Z", "status": "ok",
    }  # fmt: skip
    shown = frames.spans([span, span | {"ended_at": None, "status": "open"}])
    assert shown["seconds"][0] == 1.5
    assert pd.isna(shown["seconds"][1])
    assert shown["started_at"].dt.tz is not None


def test_a_failed_video_tells_why() -> None:
    video = {name: None for name in frames.VIDEOS} | {
        "video_hash": "f" * 32, "status": "failed", "finalized_at": "2026-11-24T02:00:00Z",
        "ended_at": "2026-11-24T02:00:02Z", "error": {"stage": "preprocessing", "reason": "not a video"},
    }  # fmt: skip
    shown = frames.videos([video])
    assert shown["error"][0] == "preprocessing: not a video"
    assert shown["seconds"][0] == 2.0


@pytest.fixture
def whole_sentences() -> Iterator[None]:
    before = pd.get_option("display.max_colwidth")
    frames.show_whole_sentences()
    yield
    pd.set_option("display.max_colwidth", before)


@pytest.mark.usefixtures("whole_sentences")
def test_sentences_are_not_cut_off() -> None:
    shown = frames.purposes([process("keeper")])
    assert purpose("keeper") in shown.to_html()
