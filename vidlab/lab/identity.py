"""Whose a process is: every process of a lab carries the lab's id in its environment, which nobody can change later.

A pid alone may be somebody else's by now, and the time at which a process began moves when the clock is set.
"""

from __future__ import annotations

import psutil

MARK = "VIDLAB_LAB_ID"  # in the environment of every process of a lab


def belongs(pid: int, lab_id: str) -> bool:
    """Is that process one of this lab's?"""
    try:
        return bool(psutil.Process(pid).environ().get(MARK) == lab_id)
    except (psutil.Error, OSError):  # gone, or somebody else's
        return False


def is_alive(pid: int, lab_id: str) -> bool:
    """Is that process of this lab there, and not only its remains?"""
    try:
        return belongs(pid, lab_id) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
