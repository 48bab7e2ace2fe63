"""What `.solution()` tells is what the notebook's folded cell runs: one of them alone would grow old unseen."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest

from tests.notebooks.notebooks import code_cells, names, read

#: Those whose cells are such copies.
COMPARED = tuple(name for name in names() if name.startswith(("00_", "01_")))

LESSON = re.compile(r"^from vidlab\.lessons import (\w+) as lesson$", re.MULTILINE)
CELL = re.compile(r"# A solution\n(?P<text>.+?)\n+lesson\.(?P<name>\w+)\.check\(\w+, solution=True\)", re.DOTALL)


def lesson_of(name: str) -> Any:
    """The module that the notebook calls `lesson`."""
    imported = LESSON.search("\n".join(cell.source for cell in code_cells(read(name))))
    assert imported, f"{name} imports no lesson"
    return import_module(f"vidlab.lessons.{imported[1]}")


@pytest.mark.parametrize("name", COMPARED)
def test_the_folded_cell_is_what_the_exercise_shows_as_its_solution(name: str) -> None:
    lesson, cells = lesson_of(name), code_cells(read(name), "solution")
    found = {cell.id: CELL.fullmatch(cell.source) for cell in cells}
    assert [one for one, match in found.items() if match is None] == [], "these cells have another form"
    told = {one: getattr(lesson, match["name"]).solution().text for one, match in found.items() if match}
    assert {one: match["text"] for one, match in found.items() if match} == told
