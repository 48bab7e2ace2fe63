"""Exercises and predictions: what a learner is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidlab.lessons import Exercise, predict
from vidlab.lessons.exercise import is_number, is_one_of


@pytest.fixture
def exercise() -> Exercise:
    return Exercise(
        "How many groups read the topic <video_processing>?",
        is_number(6, 0, "count the profiles, and the thumbnail"),
        right="one for each profile",
        hints=("look at lab.lag()", "the thumbnail has one too"),
        solution="""
            groups = 6
        """,
    )


def test_an_answer_that_nobody_gave_is_not_attempted(exercise: Exercise) -> None:
    assert repr(exercise.check(...)).startswith("not attempted: How many groups")


def test_a_wrong_answer_is_told_why(exercise: Exercise) -> None:
    assert repr(exercise.check(5)).startswith("not yet: count the profiles, and the thumbnail\n")


def test_a_right_answer_is_told_what_it_means(exercise: Exercise) -> None:
    assert repr(exercise.check(6)) == "right: one for each profile"


@pytest.mark.parametrize("answer", [..., 5, "six"])
def test_who_has_no_right_answer_is_told_how_to_get_help(exercise: Exercise, answer: object) -> None:
    told = exercise.check(answer)
    for shown in (repr(told), told._repr_html_()):
        assert ".hint()" in shown
        assert ".solution()" in shown


def test_that_an_answer_is_the_solutions_is_said(exercise: Exercise) -> None:
    told = exercise.check(6, solution=True)
    assert repr(told) == "right: this is the solution's answer, and not yours. one for each profile"
    assert exercise.check(5, solution=True).word == "not yet"


@pytest.mark.parametrize("answer", ["six", None, [6], {}])
def test_what_cannot_be_judged_is_not_yet_right_and_no_traceback(exercise: Exercise, answer: object) -> None:
    assert repr(exercise.check(answer)).startswith("not yet: that could not be used as an answer")


def test_hints_come_in_turn_and_the_last_one_stays(exercise: Exercise) -> None:
    told = [exercise.hint() for _ in range(3)]
    assert [one.text for one in told] == ["look at lab.lag()", "the thumbnail has one too", "the thumbnail has one too"]
    assert ["again" in one.then for one in told] == [True, False, False]
    assert [".solution()" in one.then for one in told] == [False, True, True]


def test_the_solution_is_what_could_be_typed(exercise: Exercise) -> None:
    assert exercise.solution().text == "groups = 6"


def test_what_is_drawn_is_escaped(exercise: Exercise) -> None:
    assert "&lt;video_processing&gt;" in exercise.check(...)._repr_html_()


def test_a_choice_that_there_is_not_names_those_that_there_are() -> None:
    judge = is_one_of("the keeper", ("the keeper", "Kafka"), "who looks after leases?")
    assert judge("the keeper") is None
    assert judge("Kafka") == "who looks after leases?"
    assert judge("Redis") == "choose one of 'the keeper', 'Kafka'"


# -- predictions


def test_a_prediction_is_kept_until_another_is_made(tmp_path: Path) -> None:
    assert predict("takeover", 20, "s", tmp_path).value == 20
    assert predict("takeover", ..., "s", tmp_path).value == 20
    assert predict("takeover", 5, "s", tmp_path).value == 5
    assert predict("other", ..., "s", tmp_path).value is None


def test_a_file_that_somebody_broke_holds_no_prediction(tmp_path: Path) -> None:
    (tmp_path / "predictions.json").write_text('{"takeover": "soon"}')
    assert predict("takeover", ..., "s", tmp_path).value is None


def test_both_are_drawn_on_one_axis(tmp_path: Path) -> None:
    drawn = predict("takeover", 20, "s", tmp_path).beside(10)._repr_html_()
    assert "width:320px" in drawn, "the longer one"
    assert "width:160px" in drawn, "half as long"


@pytest.mark.parametrize(
    ("expected", "measured", "words"),
    [
        (10, 10.5, "within a tenth"),
        (10, 25, "2.5 times what you expected"),
        (..., 25, "not predicted yet"),
        (0, 0, "As you expected."),
        (3, 3, "As you expected."),
        (3, 0, "That is 3 less than you expected."),
        (0, 2.5, "That is 2.5 more than you expected."),
    ],
)
def test_the_difference_is_said_in_words(tmp_path: Path, expected: float, measured: float, words: str) -> None:
    comparison = predict("takeover", expected, "s", tmp_path).beside(measured)
    assert words in repr(comparison)
    assert words in comparison._repr_html_()
