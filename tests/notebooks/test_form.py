"""How the notebooks are written: what a reader of any of them may rely on."""

from __future__ import annotations

import itertools
import re

import pytest

from tests.notebooks.notebooks import FOLDER, code_cells, names, read

MOST_LINES = 12  # of a cell of code
FEWEST_CELLS, MOST_CELLS = 25, 50
FEWEST_EXERCISES = 3
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


@pytest.mark.parametrize("name", names())
def test_nothing_that_a_run_left_is_stored(name: str) -> None:
    notebook = read(name)
    assert [cell.id for cell in code_cells(notebook) if cell.outputs or cell.execution_count] == []
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}


@pytest.mark.parametrize("name", names())
def test_it_names_its_kernel_so_that_no_dialog_asks(name: str) -> None:
    assert read(name).metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("name", names())
def test_cells_are_short_and_not_too_many(name: str) -> None:
    notebook = read(name)
    assert FEWEST_CELLS <= len(notebook.cells) <= MOST_CELLS
    assert [cell.id for cell in code_cells(notebook) if len(cell.source.splitlines()) > MOST_LINES] == []


@pytest.mark.parametrize("name", names())
def test_it_begins_with_goals_needs_and_minutes(name: str) -> None:
    first = read(name).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    for word in ("you will", "Needs", "minutes"):
        assert word.lower() in first.source.lower(), f"the first cell does not tell: {word}"


@pytest.mark.parametrize("name", names())
def test_prose_stands_before_each_run_of_code(name: str) -> None:
    cells = read(name).cells
    lonely = [cell.id for before, cell in itertools.pairwise(cells) if _is_bare(before) and _is_bare(cell)]
    assert lonely == []


def _is_bare(cell: object) -> bool:
    tags = cell.metadata.get("tags", [])  # type: ignore[attr-defined]
    return bool(cell.cell_type == "code" and "solution" not in tags)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", names())
def test_each_exercise_has_a_folded_solution(name: str) -> None:
    notebook = read(name)
    solutions = code_cells(notebook, "solution")
    assert len(solutions) >= FEWEST_EXERCISES
    assert [cell.id for cell in solutions if not cell.metadata.get("jupyter", {}).get("source_hidden")] == []
    asked = [
        cell for cell in code_cells(notebook) if re.search(r"= \.\.\.$", cell.source, re.M) and ".check(" in cell.source
    ]
    assert len(asked) == len(solutions)


@pytest.mark.parametrize("name", names())
def test_its_last_cell_leads_on_and_its_links_lead_somewhere(name: str) -> None:
    notebook = read(name)
    assert notebook.cells[-1].cell_type == "markdown"
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert [target for target in LINK.findall(prose) if not (FOLDER / target).exists()] == []
    assert LINK.search(notebook.cells[-1].source)


@pytest.mark.parametrize("name", names())
def test_ids_of_cells_say_what_they_are(name: str) -> None:
    ids = [cell.id for cell in read(name).cells]
    assert [one for one in ids if not re.fullmatch(r"[a-z][a-z0-9-]{2,40}", one)] == []
    assert len(set(ids)) == len(ids)
