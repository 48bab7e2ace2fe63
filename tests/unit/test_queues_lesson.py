"""The exercises of queues and workers: the right answer, and wrong ones that somebody could give."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from vidlab.lessons import queues_and_workers as lesson
from vidlab.lessons.exercise import Exercise
from vidlab.lessons.hold_up import LONG, MESSAGES, SHORT, Row, Run, table
from vidlab.lessons.kills import Impatience, Kill
from vidlab.lessons.sharers import Loss, Shared
from vidlab.naive.diary import lesson_url

START = datetime(2026, 1, 1, tzinfo=UTC)

EARLY = Kill(sent=8, waiting=3, held=4, done=7, twice=0, lost=1, visible=5.0, back_after=5.5)
LATE = Kill(sent=8, waiting=4, held=4, done=8, twice=0, lost=0, visible=5.0, back_after=5.4)


def event(seconds: float, kind: str, process: str, fence: int = 1) -> dict[str, Any]:
    at = START + timedelta(seconds=seconds)
    return {"at": at, "kind": kind, "stage": "720p", "process": process, "attempt": fence, "fence": fence}


SLEPT = [
    event(0, "claimed", "worker-720p.1"),
    event(12, "lease_expired", "keeper"),
    event(12.1, "sent_again", "keeper"),
    event(12.5, "claimed", "worker-720p.2", 2),
    event(16, "done", "worker-720p.2", 2),
]


def own() -> Run:
    """Consumers that did the work: those behind the long one began after it."""
    rows, free = [], {0: 0.0, 1: 0.0}
    for number, (partition, work) in enumerate(MESSAGES):
        at = free[partition]
        free[partition] += work
        rows.append(
            Row(number=number, partition=partition, work=work, worker=f"{partition}", waited=at, began_at=100 + at)
        )
    return Run(tuple(rows))


def loss(seconds: float) -> Loss:
    return Loss(back_after=seconds, deliveries=2)


def solved(exercise: Exercise) -> Any:
    """What the solution would have a learner answer, after the cells above it."""
    slept = SimpleNamespace(events=lambda: pd.DataFrame(SLEPT))
    names: dict[str, Any] = {"own": own(), "early": EARLY, "slept": slept, "stage": "720p"}
    exec(exercise.solution().text, names)
    return names["answer"]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run as it comes out."""
    facts = lesson.Facts(
        consumer_works=own(),
        early=EARLY,
        paused="worker-720p.1",
        paused_at=START + timedelta(seconds=2),
        paused_events=SLEPT,
    )
    monkeypatch.setattr(lesson, "_facts", facts)


#: Exercise, right answers, wrong ones.
ANSWERS: tuple[tuple[Exercise, tuple[Any, ...], tuple[Any, ...]], ...] = (
    (lesson.how_many_behind, (6, 6.0), (12, 0, 7, "six")),
    (lesson.how_many_lost, (1,), (4, 5, 0, 8, None)),
    (lesson.visible_or_not, (lesson.TWICE,), (lesson.ONCE, lesson.LOST, 2)),
    (lesson.who_published, ("worker-720p.2",), ("worker-720p.1", "keeper", 2)),
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
@pytest.mark.parametrize("exercise", [row[0] for row in ANSWERS])
def test_the_solution_that_is_told_is_right(exercise: Exercise) -> None:
    assert exercise.check(solved(exercise)).word == "right"


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        (lesson.how_many_behind, 12, "other partition"),
        (lesson.how_many_lost, 4, "came back"),
        (lesson.how_many_lost, 5, "came back"),
        (lesson.who_published, "worker-720p.1", "slept"),
    ],
)
def test_a_wrong_answer_is_told_why(exercise: Exercise, answer: Any, words: str) -> None:
    assert words in exercise.check(answer).text


@pytest.mark.parametrize("exercise", [lesson.how_many_behind, lesson.how_many_lost, lesson.who_published])
def test_before_the_run_nothing_is_right(exercise: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson, "_facts", lesson.Facts())
    assert exercise.check(6).text == lesson.NOT_YET_RUN


def test_behind_are_those_that_the_same_worker_began_after_the_long_one() -> None:
    run = own()
    assert run.behind == 6
    assert run.longest == pytest.approx(LONG + 5 * SHORT)
    assert list(run.table.columns) == ["partition", "work", "worker", "waited"]


def test_a_takeover_is_told_from_the_kill_on() -> None:
    taken = lesson.taken_over(SLEPT, START + timedelta(seconds=2))
    assert [taken.freed, taken.claimed] == pytest.approx([10.0, 10.5])
    assert (taken.by, taken.attempt, taken.fence) == ("worker-720p.2", 2, 2)


@pytest.mark.parametrize("killed_at", [12.2, 20.0])
def test_what_nobody_took_over_is_no_takeover(killed_at: float) -> None:
    with pytest.raises(LookupError, match="nobody took over"):
        lesson.taken_over(SLEPT, START + timedelta(seconds=killed_at))


@pytest.mark.usefixtures("ran")
def test_the_answers_stand_side_by_side_with_what_was_measured() -> None:
    class Lab:
        class settings:
            beats_missed = 9

    slow = Impatience(visible=1.0, work=2.5, begun=2, done=2, back_after=1.4)
    given = {"anna": 3, "bert": 13}
    shared = Shared(lock=2.5, records=14, done=14, given=given, refused=1, paused=loss(2.6), killed=loss(0.1))
    lease = lesson.taken_over(SLEPT, START + timedelta(seconds=3))
    frame = lesson.answers(Lab(), LATE, slow, shared, lease)  # type: ignore[arg-type]
    assert list(frame["back after"]) == [5.4, 1.4, 0.1, 2.6, 9.5, 10.5]
    assert list(frame["set to"]) == [5.0, 1.0, "", 2.5, 9.0, 9.0]  # a closed connection is no setting


def test_before_anybody_slept_nothing_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson, "_facts", lesson.Facts())
    assert lesson.after_pause() != lesson.after_pause()


class Told:
    """A video whose events come one after another, each time that it is asked."""

    def __init__(self, events: list[dict[str, Any]], status: str = "processing") -> None:
        self._events, self._known, self.status = events, 0, status

    def events(self) -> pd.DataFrame:
        self._known += 1
        return pd.DataFrame(self._events[: self._known])

    def refresh(self) -> Told:
        return self


def test_a_takeover_is_waited_for() -> None:
    taken = lesson.takeover(Told(SLEPT), "720p", START + timedelta(seconds=2))  # type: ignore[arg-type]
    assert taken.by == "worker-720p.2"
    assert taken.claimed == pytest.approx(10.5)


def test_it_is_not_waited_for_when_the_video_has_ended() -> None:
    with pytest.raises(LookupError, match="done by then"):
        lesson.takeover(Told(SLEPT, "completed"), "720p", START + timedelta(seconds=20))  # type: ignore[arg-type]


def test_ways_stand_beside_each_other() -> None:
    frame = table({"consumer works": own(), "again": own()})
    assert list(frame.index) == ["consumer works", "again"]
    assert list(frame.iloc[0]) == [6, pytest.approx(LONG + 5 * SHORT)]


def test_the_lessons_have_a_database_of_their_own() -> None:
    assert lesson_url("redis://:secret@127.0.0.1:6390/0") == "redis://:secret@127.0.0.1:6390/7"


@pytest.mark.parametrize("told", [EARLY, LATE, own()])
def test_what_was_measured_draws_itself(told: Any) -> None:
    assert "<table" in told._repr_html_()
