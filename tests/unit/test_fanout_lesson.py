"""The exercises of the lesson on the fan-out: the right answer, and wrong ones that somebody could give."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from vidlab.lessons import fanout as lesson
from vidlab.lessons.exercise import Exercise
from vidlab.lessons.groups import Look
from vidlab.lessons.keyed_topic import Posted
from vidlab.lessons.observer import Note

START = datetime(2026, 1, 1, tzinfo=UTC)


def note(seconds: float) -> Note:
    posted = START + timedelta(seconds=seconds)
    return Note("a" * 32, 0, 0, posted, posted)


@pytest.fixture
def observed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three messages stood there when the observer joined at 10 s, and two came after that."""
    notes = [note(seconds) for seconds in (1, 2, 9, 11, 12)]
    monkeypatch.setattr(lesson, "_facts", lesson.Facts(notes, START + timedelta(seconds=10)))


def per_member(messages: int, groups: int, members: int) -> int:
    return messages * groups * members


def only_once(messages: int, groups: int, members: int) -> int:
    return messages


def evenly(partitions: int, members: int) -> list[float]:
    return [partitions / members] * members


def without_the_idle(partitions: int, members: int) -> list[int]:
    each, more = divmod(partitions, members)
    return [count for count in [each + 1] * more + [each] * (members - more) if count]


def least_first(partitions: int, members: int) -> list[int]:
    each, more = divmod(partitions, members)
    return [each] * (members - more) + [each + 1] * more


def never_committed_is_lost(handed_on: bool, committed: bool) -> str:
    return "once" if handed_on and committed else "lost"


def never_twice(handed_on: bool, committed: bool) -> str:
    return "lost" if committed and not handed_on else "once"


def solved(exercise: Exercise, name: str) -> Any:
    """The function that the solution would have a learner type."""
    names: dict[str, Any] = {}
    exec(exercise.solution().text, names)
    return names[name]


#: Exercise, right answers, wrong ones.
ANSWERS: tuple[tuple[Exercise, tuple[Any, ...], tuple[Any, ...]], ...] = (
    (lesson.deliveries, (solved(lesson.deliveries, "deliveries"),), (per_member, only_once, 60, len)),
    (lesson.older, (3, 3.0), (5, 2, 0, "three")),
    (lesson.fate, (solved(lesson.fate, "fate"),), (never_committed_is_lost, never_twice, "lost")),
    (lesson.share_out, (solved(lesson.share_out, "share_out"),), (evenly, without_the_idle, least_first, [2, 2, 1, 1])),
)


@pytest.mark.usefixtures("observed")
@pytest.mark.parametrize(("exercise", "right", "wrong"), ANSWERS)
def test_right_answers_are_right_and_wrong_ones_are_not_yet(
    exercise: Exercise, right: tuple[Any, ...], wrong: tuple[Any, ...]
) -> None:
    assert [exercise.check(answer).word for answer in right] == ["right"] * len(right)
    told = [exercise.check(answer) for answer in wrong]
    assert [one.word for one in told] == ["not yet"] * len(wrong)
    assert all(one.text for one in told)


@pytest.mark.usefixtures("observed")
@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        (lesson.deliveries, per_member, "6 groups of 2: it says 120"),
        (lesson.older, 5, "all that it read"),
        (lesson.older, 2, "after it had joined"),
        (lesson.share_out, without_the_idle, "6 partitions, 7 members"),
        (lesson.fate, never_twice, "handed on: True, committed: False"),
    ],
)
def test_a_plausible_mistake_is_told_by_its_case(exercise: Exercise, answer: Any, words: str) -> None:
    assert words in exercise.check(answer).text


@pytest.mark.parametrize("exercise", [row[0] for row in ANSWERS])
def test_what_nobody_answered_is_not_attempted(exercise: Exercise) -> None:
    assert exercise.check(...).word == "not attempted"


def test_before_the_run_nothing_can_be_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson, "_facts", lesson.Facts())
    assert "first" in lesson.older.check(0).text


def test_the_exercise_is_about_the_observer_that_was_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson, "_facts", lesson.Facts())
    lesson.about(Mock(notes=[note(1), note(2)], joined_at=START + timedelta(seconds=1.5)))
    assert lesson.older.check(1).word == "right"


# -- what is measured


def about(*steps: tuple[str, int]) -> list[Posted]:
    return [Posted(name, step, 0, 0) for name, step in steps]


def test_what_comes_before_an_earlier_one_has_overtaken_it() -> None:
    assert lesson.overtakes(about(("a", 0), ("b", 0), ("a", 1), ("b", 1))) == 0
    assert lesson.overtakes(about(("a", 2), ("b", 0), ("a", 0), ("a", 1))) == 1
    assert lesson.overtakes(about(("a", 2), ("a", 1), ("a", 0))) == 2


def test_a_share_of_the_crowd_is_one_and_the_others_are_many() -> None:
    counts = Counter(lesson.crowd(keys=40, each=5, hot=0.8))
    assert counts.pop("hot") == 160
    assert len(counts) == 40
    assert set(Counter(lesson.crowd(keys=8, each=12)).values()) == {12}


@pytest.mark.parametrize(
    ("state", "held", "settled"),
    [
        ("STABLE", {"a": (0, 1, 2), "b": (3, 4, 5)}, True),
        ("PREPARING_REBALANCING", {"a": (0, 1, 2), "b": (3, 4, 5)}, False),
        ("STABLE", {"a": (0, 1, 2), "b": ()}, False),
        ("STABLE", {"a": (0,), "b": (1,)}, False),
        ("STABLE", {"a": (0, 1, 2, 3, 4, 5), "b": ()}, False),
        ("STABLE", {"a": (0, 1, 2, 3, 4, 5)}, False),
    ],
)
def test_a_group_is_settled_once_all_is_shared_out(state: str, held: dict[str, tuple[int, ...]], settled: bool) -> None:
    assert Look(0.0, state, held).is_settled(2, 6) is settled
