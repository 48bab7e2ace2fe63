"""The lab that is meant is the nearest, from the current folder up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vidlab.errors import FolderGone
from vidlab.here import here
from vidlab.lab.folder import Folder
from vidlab.lab.local import LocalLab
from vidlab.settings import Settings

PYPROJECT = '[project]\nname = "vidlab"\n'


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, in whose `project/notebooks` one is; no state folder is named."""
    monkeypatch.delenv("VIDLAB_STATE", raising=False)
    (tmp_path / "project" / "notebooks").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project" / "notebooks")
    return tmp_path


def meant() -> Path:
    """What the settings say, and `LocalLab`, which is what the command line asks."""
    lab = LocalLab()
    assert lab.folder.root == Settings().state
    return lab.folder.root


def test_without_a_lab_or_a_project_the_current_folder_is_meant(tree: Path) -> None:
    assert meant() == tree / "project" / "notebooks" / ".vidlab"


def test_below_a_lab_that_lab_is_meant(tree: Path) -> None:
    Folder(tree / "project" / ".vidlab").make()
    assert meant() == tree / "project" / ".vidlab"


def test_below_a_project_its_lab_is_meant_before_it_is_made(tree: Path) -> None:
    (tree / "project" / "pyproject.toml").write_text(PYPROJECT)
    assert meant() == tree / "project" / ".vidlab"


def test_another_project_is_none(tree: Path) -> None:
    (tree / "project" / "pyproject.toml").write_text(PYPROJECT.replace("vidlab", "vidlab-player"))
    assert meant() == tree / "project" / "notebooks" / ".vidlab"
    (tree / "project" / "pyproject.toml").write_bytes(b"\xff")
    assert meant() == tree / "project" / "notebooks" / ".vidlab"


def test_the_nearest_is_meant(tree: Path) -> None:
    """A clone has a lab of its own, whatever runs in a folder above."""
    Folder(tree / ".vidlab").make()
    (tree / "project" / "pyproject.toml").write_text(PYPROJECT)
    assert meant() == tree / "project" / ".vidlab"
    Folder(tree / "project" / "notebooks" / ".vidlab").make()
    assert meant() == tree / "project" / "notebooks" / ".vidlab"


def test_what_another_user_left_above_does_not_count(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Folder(tree / ".vidlab").make()
    (tree / "project" / "pyproject.toml").write_text(PYPROJECT)
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    assert meant() == tree / "project" / "notebooks" / ".vidlab"


def test_who_is_named_is_meant(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Folder(tree / "project" / ".vidlab").make()
    monkeypatch.setenv("VIDLAB_STATE", str(tree / "named"))
    assert meant() == tree / "named"
    assert LocalLab(tree / "given").folder.root == tree / "given"


def test_a_folder_that_is_gone_is_told(tree: Path) -> None:
    (tree / "project" / "notebooks").rmdir()
    with pytest.raises(FolderGone):
        here()
    with pytest.raises(FolderGone):
        LocalLab()


def test_no_test_meets_the_lab_of_the_project() -> None:
    assert Settings().state.name.startswith("nobody")
