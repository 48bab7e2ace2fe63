"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import time
from collections.abc import Callable

GUARD = 60.0  # seconds after which a condition counts as never met, on a busy machine
PAUSE = 0.02  # seconds


def until(met: Callable[[], object], what: str = "", seconds: float = GUARD) -> None:
    """Returns once the condition is met. Fails with its name."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still not: {what or met}"
        time.sleep(PAUSE)
