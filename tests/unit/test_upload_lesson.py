"""The exercises of the lesson about uploads: the right answer, and wrong ones that somebody could give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from vidlab.errors import ChunksMissing
from vidlab.lessons import upload as lesson
from vidlab.lessons.exercise import Exercise
from vidlab.lessons.two_ways import Outcome, table

Complete = Callable[[Sequence[int], int], bool]

Row = dict[str, Any]
Send = Callable[[str], None]


def by_length(arrived: Sequence[int], total: int) -> bool:
    return len(arrived) == total


def at_least(arrived: Sequence[int], total: int) -> bool:
    return len(arrived) >= total


def by_the_last(arrived: Sequence[int], total: int) -> bool:
    return max(arrived, default=-1) == total - 1


def in_order(arrived: Sequence[int], total: int) -> bool:
    return list(arrived) == list(range(total))


def by_different_ones(arrived: Sequence[int], total: int) -> bool:
    return len(set(arrived)) == total


def whole_chunks(missing: Sequence[Sequence[int]], chunk_bytes: int, size: int) -> int:
    return sum(last - first + 1 for first, last in missing) * chunk_bytes


def without_the_last(missing: Sequence[Sequence[int]], chunk_bytes: int, size: int) -> int:
    return sum(last - first for first, last in missing) * chunk_bytes


def everything(missing: Sequence[Sequence[int]], chunk_bytes: int, size: int) -> int:
    return size


def until_it_fails(outbox: list[Row], send: Send) -> None:
    for row in outbox:
        if not row["sent"]:
            send(row["message"])
            row["sent"] = True


def that_stops_quietly(outbox: list[Row], send: Send) -> None:
    with suppress(ConnectionError):
        until_it_fails(outbox, send)


def marks_first(outbox: list[Row], send: Send) -> None:
    for row in outbox:
        if not row["sent"]:
            row["sent"] = True
            send(row["message"])


def all_each_time(outbox: list[Row], send: Send) -> None:
    for row in outbox:
        send(row["message"])
        row["sent"] = True


def one_only(outbox: list[Row], send: Send) -> None:
    until_it_fails(outbox[:1], send)


def overtakes(outbox: list[Row], send: Send) -> None:
    for row in outbox:
        that_stops_quietly([row], send)


def marks_none(outbox: list[Row], send: Send) -> None:
    for row in outbox:
        if not row["sent"]:
            send(row["message"])


#: Exercise, right answers, wrong ones.
ANSWERS: tuple[tuple[Exercise, tuple[Any, ...], tuple[Any, ...]], ...] = (
    (lesson.is_complete, (by_different_ones,), (by_length, at_least, by_the_last, in_order, True)),
    (lesson.atomic_mends, ({"at once"}, ["at once"], "at once"), ({"repeated", "at once"}, set(), {"all"})),
    (lesson.how_much_is_left, (lesson.bytes_left,), (whole_chunks, without_the_last, everything, 1000)),
    (
        lesson.outbox_relay,
        (until_it_fails, that_stops_quietly),
        (marks_first, all_each_time, one_only, overtakes, marks_none, None),
    ),
)


@pytest.mark.parametrize(("exercise", "right", "wrong"), ANSWERS)
def test_right_answers_are_right_and_wrong_ones_are_not_yet(
    exercise: Exercise, right: tuple[Any, ...], wrong: tuple[Any, ...]
) -> None:
    assert [exercise.check(answer).word for answer in right] == ["right"] * len(right)
    told = [exercise.check(answer) for answer in wrong]
    assert [one.word for one in told] == ["not yet"] * len(wrong)
    assert all(one.text for one in told)


@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        (lesson.is_complete, by_length, "a chunk came twice"),
        (lesson.is_complete, in_order, "another order"),
        (lesson.atomic_mends, {"damaged", "at once"}, "'damaged' still fails"),
        (lesson.outbox_relay, marks_first, "'a' is marked as sent, and Kafka never got it"),
        (lesson.outbox_relay, all_each_time, "again though it was there"),
        (lesson.outbox_relay, overtakes, "another order"),
        (lesson.outbox_relay, marks_none, "again though it was there"),
        (lesson.how_much_is_left, whole_chunks, "35 bytes in all: 15 bytes are left, and it says 20"),
    ],
)
def test_a_plausible_mistake_is_told_by_its_name(exercise: Exercise, answer: Any, words: str) -> None:
    assert words in exercise.check(answer).text


@pytest.mark.parametrize("exercise", [row[0] for row in ANSWERS])
def test_what_nobody_answered_is_not_attempted(exercise: Exercise) -> None:
    assert exercise.check(...).word == "not attempted"


def test_outcomes_stand_below_each_other_under_their_names() -> None:
    facts: dict[str, Any] = {"sent": 3, "counted": 3, "of": 3, "told": "yes", "messages": 1, "moved": 1.0}
    one = Outcome(way="counter", right_file=False, **facts)
    frame = table({"damaged": one, "good": Outcome(way="blocks", right_file=None, **facts)})
    assert list(frame.index) == ["damaged", "good"]
    assert list(frame.right_file) == [False, None]
    assert "counter" in one._repr_html_()


def test_a_refusal_is_given_as_it_is() -> None:
    error = ChunksMissing(video_hash="f", total=3, missing="1", ranges=[[1, 1]])

    def refused() -> None:
        raise error

    assert lesson.told_by(refused) is error
    assert lesson.told_by(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        lesson.told_by(lambda: 1 / 0)


def test_the_sum_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert lesson.sha256(tmp_path / "empty").startswith("e3b0c44298fc1c14")
