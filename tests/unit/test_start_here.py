"""The exercises of the first lesson: the right answer, and wrong ones that somebody could give."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from vidlab.face import Lab
from vidlab.lab.status import ProcessStatus
from vidlab.lessons import start_here as lesson
from vidlab.lessons.exercise import Exercise

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def event(seconds: float, kind: str, stage: str | None, process: str = "keeper") -> dict[str, Any]:
    return {"at": at(seconds), "kind": kind, "stage": stage, "process": process}


def span(stage: str, name: str, kind: str, seconds: float) -> dict[str, Any]:
    return {"stage": stage, "name": name, "kind": kind, "seconds": seconds}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in which 480p was last, 144p waited 1 s of 4 s, and 720p was killed at 10 s and claimed again at 22 s."""
    events = [
        event(1, "claimed", "144p", "worker-144p.1"),
        event(2, "claimed", "480p", "worker-480p.2"),
        event(8, "done", "144p", "worker-144p.1"),
        event(9, "claimed", "master", "worker-480p.2"),
        event(9, "completed", None, "worker-480p.2"),
    ]
    spans = [
        span("144p", "queue", "queue", 1.0),
        span("144p", "144p", "work", 3.0),
        span("144p", "encode", "work", 2.5),
        span("480p", "480p", "work", 7.0),
    ]
    killed = [
        event(5, "claimed", "720p", "worker-720p.1"),
        event(21.5, "lease_expired", "720p"),
        event(22, "claimed", "720p", "worker-720p.1"),
        event(30, "claimed", "720p", "worker-720p.1"),
    ]
    facts = lesson.Facts(events=events, spans=spans, killed_at=at(10), killed_events=killed)
    monkeypatch.setattr(lesson, "_facts", facts)


#: Exercise, right answers, wrong ones.
ANSWERS: tuple[tuple[Exercise, tuple[Any, ...], tuple[Any, ...]], ...] = (
    (lesson.how_many_groups, (6,), (7, 5, 1, "six")),
    (lesson.who_is_last, ("480p",), ("144p", "worker-480p.2", "master", 480)),
    (lesson.share_waited, (0.25, 0.253), (0.75, 0.0, 25, 1 / 6.5, "a quarter")),
    (lesson.nobody_at_work, (12.0, 12.1), (11.5, 22.0, 0.0, 20.0)),
)


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(("exercise", "right", "wrong"), ANSWERS)
def test_right_answers_are_right_and_wrong_ones_are_not_yet(
    exercise: Exercise, right: tuple[Any, ...], wrong: tuple[Any, ...]
) -> None:
    assert [exercise.check(answer).word for answer in right] == ["right"] * len(right)
    told = [exercise.check(answer) for answer in wrong]
    assert [one.word for one in told] == ["not yet"] * len(wrong)
    assert all(one.text for one in told)


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        (lesson.who_is_last, "144p", "claimed"),
        (lesson.who_is_last, "worker-480p.2", "name a profile"),
        (lesson.share_waited, 0.75, "worked on"),
        (lesson.share_waited, 25, "between 0 and 1"),
        (lesson.nobody_at_work, 11.5, "freed the lease"),
    ],
)
def test_a_plausible_mistake_is_told_by_its_name(exercise: Exercise, answer: Any, words: str) -> None:
    assert words in exercise.check(answer).text


@pytest.mark.parametrize("exercise", [row[0] for row in ANSWERS])
def test_what_nobody_answered_is_not_attempted(exercise: Exercise) -> None:
    assert exercise.check(...).word == "not attempted"


@pytest.mark.parametrize("exercise", [row[0] for row in ANSWERS[1:]])
def test_before_the_run_nothing_can_be_right(exercise: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson, "_facts", lesson.Facts())
    assert "first" in exercise.check("144p" if exercise is lesson.who_is_last else 0.25).text


def test_of_a_video_that_failed_nobody_was_last(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = [event(1, "claimed", "preprocessing", "worker-preprocessing.1"), event(2, "video_failed", "preprocessing")]
    monkeypatch.setattr(lesson, "_facts", lesson.Facts(events=failed))
    assert lesson.who_is_last.check("144p").text == lesson.NOT_COMPLETED


class OfSteps:
    """A video that is further each time that it is asked."""

    def __init__(self, *steps: dict[str, Any]) -> None:
        self.steps = list(steps)
        self.json: dict[str, Any] = {"title": "clip", "profiles": []}

    def refresh(self) -> OfSteps:
        self.json["profiles"] = [{"name": "720p", **self.steps.pop(0)}]
        return self


def running(progress: float) -> dict[str, Any]:
    return {"state": "running", "worker": "worker-720p.2", "progress": progress}


def test_a_worker_is_named_once_it_has_done_its_share() -> None:
    video = OfSteps({"state": "queued", "worker": None, "progress": 0.0}, running(0.1), running(0.2), running(0.9))
    assert lesson.at_work(video, "720p") == "worker-720p.2"  # type: ignore[arg-type]
    assert len(video.steps) == 1


def test_a_stage_that_is_over_is_not_waited_for() -> None:
    over = {"state": "done", "worker": None, "progress": 1.0}
    assert lesson.at_work(OfSteps(running(0.1), over), "720p") == "worker-720p.2"  # type: ignore[arg-type]
    assert lesson.at_work(OfSteps(over), "720p") == "worker-720p"  # type: ignore[arg-type]


def lab_with(*pids: int | None) -> Lab:
    """A lab whose worker has these pids, one at each look; the last one stays."""
    left = list(pids)

    def status() -> Any:
        pid = left.pop(0) if len(left) > 1 else left[0]
        return Mock(
            processes=[ProcessStatus(name="worker-720p.2", kind="worker-720p", pid=pid, state="running", restarts=0)]
        )

    return Mock(spec=Lab, runner=Mock(status=status))


@pytest.mark.parametrize("after", [None, 5120])
def test_a_worker_that_you_killed_is_noticed_at_once(after: int | None) -> None:
    video = OfSteps(running(0.1), running(0.2), running(0.3))
    worker, killed_at = lesson.wait_for_kill(lab_with(4711, 4711, after), video, "720p")  # type: ignore[arg-type]
    assert worker == "worker-720p.2"
    assert killed_at is not None
    assert (lesson.now() - killed_at).total_seconds() < 10
    assert len(video.steps) == 1


@pytest.mark.parametrize("last", [running(0.5), {"state": "done", "worker": None, "progress": 1.0}])
def test_who_kills_nobody_is_not_waited_for_beyond_the_share(last: dict[str, Any]) -> None:
    video = OfSteps(running(0.1), running(0.49), last)
    assert lesson.wait_for_kill(lab_with(4711), video, "720p") == ("worker-720p.2", None)  # type: ignore[arg-type]
    assert video.steps == []


@pytest.mark.usefixtures("ran")
def test_a_claim_right_after_the_lease_was_freed_is_the_right_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    soon = [event(21.97, "lease_expired", "720p"), event(22, "claimed", "720p", "worker-720p.1")]
    monkeypatch.setattr(lesson, "_facts", lesson.Facts(events=[], spans=[], killed_at=at(10), killed_events=soon))
    assert lesson.nobody_at_work.check(12.0).word == "right"
    assert "freed the lease" in lesson.nobody_at_work.check(11.97).text
