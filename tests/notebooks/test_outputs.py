"""What these tests read out of a cell that ran: so that they can fail."""

from __future__ import annotations

import nbformat
import pytest
from nbformat import v4

from tests.notebooks.notebooks import is_right, told, warned
from vidlab.lessons.exercise import Told


def cell(*outputs: nbformat.NotebookNode) -> nbformat.NotebookNode:
    made: nbformat.NotebookNode = v4.new_code_cell("check", outputs=list(outputs))  # type: ignore[no-untyped-call]
    return made


def gave(text: str) -> nbformat.NotebookNode:
    made: nbformat.NotebookNode = v4.new_output("execute_result", {"text/plain": text})  # type: ignore[no-untyped-call]
    return made


def wrote(text: str, name: str) -> nbformat.NotebookNode:
    made: nbformat.NotebookNode = v4.new_output("stream", name=name, text=text)  # type: ignore[no-untyped-call]
    return made


def test_what_is_right_may_stand_after_other_words() -> None:
    assert is_right(cell(wrote("sent\n", "stdout"), gave(repr(Told("right", "six groups")))))


@pytest.mark.parametrize("told", [Told("not yet", "that is not right"), Told("not attempted", "is it right?")])
def test_what_speaks_of_right_is_not_right(told: Told) -> None:
    assert not is_right(cell(gave(repr(told))))


def test_a_cell_that_gave_nothing_is_not_right() -> None:
    assert not is_right(cell())


def test_a_thread_that_died_is_seen() -> None:
    died = cell(wrote("Traceback (most recent call last):\n", "stderr"), gave("right"))
    assert "Traceback" in warned(died)
    assert warned(cell(wrote("Traceback is only a word\n", "stdout"))) == ""
    assert "right" in told(died)
