"""Each notebook runs from top to bottom, unattended, against the lab of the session, and its solutions are right."""

from __future__ import annotations

from collections.abc import Iterator

import nbformat
import pytest

from tests.lab import RunningLab
from tests.notebooks.notebooks import code_cells, executed, is_right, names, told, warned


@pytest.fixture(autouse=True)
def of_this_lab(lab: RunningLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A kernel that is started here means the session's lab, and sends short clips."""
    monkeypatch.setenv("VIDLAB_STATE", str(lab.settings.state))
    monkeypatch.setenv("VIDLAB_SMALL_CLIPS", "1")
    before = _wanted(lab)
    yield
    assert _wanted(lab) == before, "the notebook left other numbers of processes"
    assert lab.local.faults() == []


def _wanted(lab: RunningLab) -> list[str]:
    return sorted(one.name for one in lab.local.status().processes if not one.stopping)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", names())
def test_it_runs_unattended(name: str) -> None:
    notebook = executed(name)
    assert {cell.id: told(cell).splitlines()[-1:] for cell in _wrong(notebook)} == {}
    assert [cell.id for cell in _asked(notebook) if "not attempted" not in told(cell)] == []
    assert [cell.id for cell in code_cells(notebook) if "Traceback" in warned(cell)] == []


def _wrong(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in code_cells(notebook, "solution") if not is_right(cell)]


def _asked(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    cells = [cell for cell in code_cells(notebook) if ".check(" in cell.source]
    return [cell for cell in cells if "solution" not in cell.metadata.get("tags", [])]
