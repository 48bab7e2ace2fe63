"""Room for work in progress: what one process may fill, and what the disk still holds.

A disk that is full is like a server that is away: the job waits without using up an attempt. A video that needs more
than it is granted fails, with the setting that grants it.
"""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from vidlab.errors import DependencyAway, TooDemanding
from vidlab.settings import MIB, Settings

SPARE = 64 * MIB  # bytes; with less the disk counts as full: the database and the logs need room too
#: What the system calls a disk, or one's share of it, that is full.
FULL = (errno.ENOSPC, errno.EDQUOT)


def full_mark(settings: Settings) -> Path:
    """While this file is there, the disk counts as full: the fault `disk-full` makes it."""
    return settings.state.absolute() / "run" / "disk-full"


def check_room(settings: Settings) -> None:
    """Raises DependencyAway when the disk is full, TooDemanding when this process holds more than it may."""
    if full_mark(settings).exists() or shutil.disk_usage(settings.state).free < SPARE:
        raise disk_is_full()
    held = sum(size for path in settings.scratch.rglob("*") if (size := _size(path)))
    if held > settings.max_scratch_bytes:
        why = f"{held} bytes of work in progress, and {settings.max_scratch_bytes} are granted"
        raise TooDemanding(why=why, setting="VIDLAB_MAX_SCRATCH_BYTES")


def disk_is_full() -> DependencyAway:
    """What to raise then."""
    return DependencyAway(name="disk", why="no space is left for work in progress")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone in between
        return 0
