"""What takes long to import is brought only where it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Packages of the notebooks' part, each of which takes a good part of a second.
HEAVY = ("pandas", "IPython", "ipywidgets", "anywidget", "jupyterlab")


@pytest.mark.parametrize("module", ["vidlab", "vidlab.cli", "vidlab.lessons", "vidlab.widgets"])
def test_it_does_not_bring_what_takes_long(module: str) -> None:
    asked = f"import sys, {module}; print(*sorted(set(sys.modules) & set({HEAVY})))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
