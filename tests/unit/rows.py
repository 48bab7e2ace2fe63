"""Rows as the database gives them, without a database."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from vidlab.models import Job, State, Status, Video
from vidlab.profiles import PROFILES

THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_video(**facts: Any) -> Video:
    """A completed video, but for these facts."""
    known: dict[str, Any] = {
        "id": 1,
        "video_hash": "h" * 32,
        "title": "A clip",
        "filename": "clip.mp4",
        "extension": "mp4",
        "status": Status.COMPLETED,
        "total_chunks": 1,
        "infected": False,
        "created_at": THEN,
        "updated_at": THEN,
        "done": {profile.name: True for profile in PROFILES},
    }
    return Video(**dict.fromkeys((field.name for field in fields(Video)), None) | known | facts)  # type: ignore[arg-type]


def a_job(stage: str, **facts: Any) -> Job:
    """A job that is done, but for these facts."""
    known: dict[str, Any] = {
        "id": 1,
        "video_hash": "h" * 32,
        "stage": stage,
        "state": State.DONE,
        "attempt": 1,
        "progress": 1.0,
    }
    return Job(**dict.fromkeys((field.name for field in fields(Job)), None) | known | facts)  # type: ignore[arg-type]
