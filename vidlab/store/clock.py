"""This process's clock. Shown to people; nothing is decided by it but by the keeper alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_ahead = timedelta(0)


def now() -> datetime:
    """The time in UTC, as this process believes."""
    return datetime.now(UTC) + _ahead


def set_ahead(seconds: float) -> None:
    """Let this process's clock be wrong: a fault does, to show that it does not matter."""
    global _ahead
    _ahead = timedelta(seconds=seconds)
