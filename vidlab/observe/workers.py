"""What each worker does now."""

from __future__ import annotations

from vidlab.models import Job, State
from vidlab.settings import Settings
from vidlab.store import Store


def notes(settings: Settings) -> dict[str, str]:
    """Process name -> what it works on, as a line for people. Raises DependencyAway."""
    store = Store(settings)
    try:
        return {job.owner: _note(job) for job in store.in_state(State.RUNNING) if job.owner}
    finally:
        store.close()


def _note(job: Job) -> str:
    speed = f", {job.speed:.1f}x" if job.speed else ""
    return f"video {job.video_hash[:4]} {job.stage} {job.progress:.0%}{speed}"
