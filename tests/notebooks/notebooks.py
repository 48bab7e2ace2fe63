"""The notebooks as files, and how they are executed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
CELL = 180  # seconds for one cell
#: What an exercise says of a right answer; "not yet: that is not right" is another thing.
RIGHT = re.compile(r"^right\b", re.MULTILINE)


def names() -> list[str]:
    """The files, in their order. Raises AssertionError when there is none: then these tests say nothing."""
    found = sorted(path.name for path in FOLDER.glob("*.ipynb"))
    assert found, f"no notebook in {FOLDER}"
    return found


def read(name: str) -> nbformat.NotebookNode:
    """The notebook as it is stored."""
    found: nbformat.NotebookNode = nbformat.read(FOLDER / name, as_version=4)  # type: ignore[no-untyped-call]
    return found


def executed(name: str) -> nbformat.NotebookNode:
    """The notebook after all its cells ran. Raises CellExecutionError for an error that is not meant."""
    notebook = read(name)
    client = NotebookClient(
        notebook, timeout=CELL, store_widget_state=False, resources={"metadata": {"path": str(FOLDER)}}
    )
    client.execute()
    return notebook


def code_cells(notebook: nbformat.NotebookNode, tag: str = "") -> list[nbformat.NotebookNode]:
    """Its cells of code, or those with a tag."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [cell for cell in cells if not tag or tag in cell.metadata.get("tags", [])]


def told(cell: nbformat.NotebookNode) -> str:
    """All that a cell printed or gave, as plain text."""
    return "\n".join(_text(output) for output in cell.outputs)


def is_right(cell: nbformat.NotebookNode) -> bool:
    """Did an exercise in the cell say that the answer is right?"""
    return RIGHT.search(told(cell)) is not None


def warned(cell: nbformat.NotebookNode) -> str:
    """What a cell wrote on standard error: a thread that dies there fails no cell."""
    return "".join(output.text for output in cell.outputs if output.get("name") == "stderr")


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return str(output.data.get("text/plain", ""))
