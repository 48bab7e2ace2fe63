"""What the set-up fetches once for all labs of a user: a folder for each thing and version, filled or not there."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

#: Is told how many of how many things are there.
Report = Callable[[int, int], None]


def key(*files: Path) -> str:
    """A name for what these files say: another content, another folder."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def fill(folder: Path, make: Callable[[Path], None]) -> None:
    """Make a folder by way of `make`, which is given a draft of it; nothing happens when it is there.

    The draft becomes the folder when `make` returns, in one step. A draft that was interrupted is kept: `make` goes on
    with it. A second process waits for the first.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f"{folder.name}.draft")
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            draft.mkdir(exist_ok=True)
            make(draft)
            draft.rename(folder)


def forget(folder: Path) -> None:
    """Remove a folder and its draft."""
    for path in (folder, folder.with_name(f"{folder.name}.draft")):
        shutil.rmtree(path, ignore_errors=True)
