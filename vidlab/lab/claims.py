"""Claims on ports: files whose locks say which ports the labs of this user hold, also before anything listens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from vidlab.errors import LabFailed

FOLDER_MODE, FILE_MODE = 0o700, 0o600


def open_claim(folder: Path, port: int) -> IO[bytes]:
    """The file to lock for a port; it stays empty. Raises LabFailed when the folder cannot be used, or is another's.

    No link is followed and nothing is truncated, so that nobody can have a file of this user emptied by it.
    """
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            return _open_in(place, f"port-{port}")
        finally:
            os.close(place)
    except OSError as error:
        raise LabFailed(why=f"The ports of the labs cannot be noted in {folder}: {error.strerror}.") from error


def _open_in(place: int, name: str) -> IO[bytes]:
    if os.fstat(place).st_uid != os.geteuid():
        raise PermissionError(0, "the folder belongs to another user")
    os.fchmod(place, FOLDER_MODE)
    claim = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, FILE_MODE, dir_fd=place)
    return os.fdopen(claim, "r+b", buffering=0)
