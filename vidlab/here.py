"""Where one is, and which lab is meant from there when nobody names one."""

from __future__ import annotations

import os
import re
from pathlib import Path

from vidlab.errors import FolderGone

LAB = ".vidlab"  # the folder that a lab makes for itself
LAB_ID = Path(LAB) / "lab-id"  # is there as soon as a lab was made
PROJECT = "pyproject.toml"
NAME = re.compile(r'^name\s*=\s*"vidlab"\s*$', re.MULTILINE)  # in it


def here() -> Path:
    """The current folder. Raises FolderGone."""
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise FolderGone from error


def nearest_lab() -> Path:
    """The state folder that is meant: in the current folder, or in the nearest above it with a lab or VidLab itself.

    So a notebook's folder, the command line and the tests mean the project's lab, and another clone means its own.
    What other users left above (in a folder for scratch files, say) does not count. Raises FolderGone.
    """
    folder = here()
    above = (one for one in (folder, *folder.parents) if _is_own(one / LAB_ID) or _is_project(one))
    return next(above, folder) / LAB


def _is_own(file: Path) -> bool:
    try:
        return file.stat().st_uid == os.geteuid()
    except OSError:
        return False


def _is_project(folder: Path) -> bool:
    try:
        return _is_own(folder / PROJECT) and NAME.search((folder / PROJECT).read_text()) is not None
    except (OSError, ValueError):
        return False
