"""JupyterLab as `vidlab lab` opens it, for the tests' lab, with notebooks of the tests."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Page, expect

from tests.browser.pages import PATIENCE
from tests.waiting import until

FIRST = "first.ipynb"
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

_numbers = itertools.count()


class Jupyter:
    """A server, and the folder of its notebooks."""

    def __init__(self, folder: Path, settings: Path) -> None:
        self.folder = folder
        self.settings = settings
        self.url = ""  # up to the port
        self.token = ""

    def write(self, cells: Sequence[str], name: str = "") -> str:
        """Write a notebook of code cells, and give its name."""
        made = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],  # type: ignore[no-untyped-call]
            metadata=KERNEL,
        )
        name = name or f"notebook-{next(_numbers)}.ipynb"
        (self.folder / name).write_text(nbformat.writes(made))  # type: ignore[no-untyped-call]
        return name

    def open(self, page: Page, name: str, *, theme: str = "light") -> None:
        """Open a notebook in a workspace of its own, and wait until its kernel is idle."""
        kept = self.settings / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"theme": THEMES[theme]}))
        page.goto(f"{self.url}/lab/workspaces/test{next(_numbers)}/tree/{name}?token={self.token}")
        idle(page)

    def run(self, page: Page, cells: Sequence[str], *, theme: str = "light") -> None:
        """Write a notebook, open it, and run all its cells; returns when the last has begun or ended."""
        self.open(page, self.write(cells), theme=theme)
        run_all(page)


def idle(page: Page) -> None:
    """Wait until the kernel is there and has nothing to do. (The notebook's own indicator says so before it is.)"""
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=2 * PATIENCE)


def run_all(page: Page) -> None:
    """Run all cells of the notebook that is in front."""
    menu(page, "Run", "Run All Cells")


def menu(page: Page, name: str, item: str) -> None:
    """Choose an item of JupyterLab's menu."""
    page.locator("#jp-MainMenu").get_by_text(name, exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()


@contextmanager
def running_jupyter(folder: Path, state: Path) -> Iterator[Jupyter]:
    """JupyterLab on a free port, which is ended afterwards. Nothing of the user's own settings counts."""
    made = Jupyter(folder / "notebooks", folder / "settings")
    made.folder.mkdir()
    made.write([""], FIRST)
    own = {
        "JUPYTER_CONFIG_DIR": folder / "config",
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": made.settings,
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
        "IPYTHONDIR": folder / "ipython",
    }
    command = [sys.executable, "-m", "vidlab.cli", "lab", str(made.folder / FIRST), "--no-browser", "--state", state]
    log = folder / "jupyter.log"
    environment = {**os.environ, **{name: str(path) for name, path in own.items()}, "COLUMNS": "300"}
    with log.open("wb") as output:
        server = subprocess.Popen(
            [str(word) for word in command], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        until(lambda: _read(made, log) or server.poll() is not None, "JupyterLab is there")
        assert made.url, log.read_text()
        yield made
    finally:
        server.send_signal(2)  # as Ctrl-C does
        server.wait(30)


def _read(jupyter: Jupyter, log: Path) -> bool:
    told = re.search(r"(http://\S+?)/lab/\S*\?token=(\S+)", log.read_text())
    if told:
        jupyter.url, jupyter.token = told.groups()
    return told is not None
