"""What a test session must not leave behind: processes, and files in the system's temporary folder.

Each session has a temporary folder of its own, and a mark in the environment that its processes inherit. So sessions
that run beside each other do not take each other's things for leftovers.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

MARK = "TEST_SESSION"  # in the environment of all that the session starts
PREFIX = "vidlab-tests-"
LOCK = "session.lock"  # held as long as the session lives
TRACKER = "multiprocessing.resource_tracker"  # Python's own: it ends with the process that started it
PATIENCE = 5.0  # seconds in which what was told to end must have ended


@contextmanager
def own_session() -> Iterator[Path]:
    """Mark what is started, and have temporary files made in a folder that goes with the session."""
    end_dead_sessions()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o711)  # PostgreSQL may run as another user
    with pytest.MonkeyPatch.context() as patch, (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        patch.setenv(MARK, folder.name)
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", str(folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def end_dead_sessions() -> None:
    """End and remove what sessions left that were killed: nobody holds their locks."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError), lock.open() as opened:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            processes_left(lock.parent.name, patience=0)
            shutil.rmtree(lock.parent)


def files_left(folder: Path) -> list[str]:
    """What lies in the session's temporary folder."""
    return sorted(path.name for path in folder.iterdir() if path.name != LOCK)


def processes_left(mark: str, patience: float = PATIENCE) -> list[str]:
    """What still runs of the session after some time to end; then it is ended."""
    deadline = time.monotonic() + patience
    while (found := _marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    told = sorted(map(_words, found))
    for process in found:
        with suppress(psutil.Error):
            process.kill()
    return told


def _marked(mark: str) -> list[psutil.Process]:
    own = psutil.Process()
    asking = {own.pid, *(parent.pid for parent in own.parents())}
    return [process for process in psutil.process_iter() if process.pid not in asking and _has(process, mark)]


def _has(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK) == mark and TRACKER not in " ".join(process.cmdline())
    except (psutil.Error, OSError):  # gone, or somebody else's
        return False


def _words(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline()) or process.name()}"
    except psutil.Error:
        return f"{process.pid}, which is gone"
