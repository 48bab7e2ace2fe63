"""Waiting for a condition, with a time-out that says what was waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

from vidlab.errors import NotThere

POLL = 0.1  # seconds


def until(condition: Callable[[], bool], what: str, timeout: float = 60.0) -> float:
    """Wait until it is so, and give the seconds that it took. Raises NotThere after `timeout` seconds."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > timeout:
            raise NotThere(what=what, seconds=round(timeout))
        time.sleep(POLL)
    return time.monotonic() - began
