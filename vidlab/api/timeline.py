"""What happened to a video: its spans, and its events."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel

from vidlab.api.document import problems
from vidlab.api.parts import Given
from vidlab.models import Event, Span

router = APIRouter(prefix="/videos", tags=["videos"])

MOST = 10_000  # events of one answer; a video has some fifty


class SpanView(BaseModel):
    """A stretch of a video's time."""

    span_id: str
    #: The attempt that it is part of.
    parent_id: str | None
    stage: str
    name: str
    #: `queue` (nobody worked on it) or `work`.
    kind: str
    process: str
    attempt: int | None
    started_at: datetime
    #: null while it lasts.
    ended_at: datetime | None
    #: `open`, `ok`, `error`, `lost` or `handed_back`.
    status: str

    @classmethod
    def of(cls, span: Span) -> Self:
        return cls(**{name: getattr(span, name) for name in cls.model_fields})


class EventView(BaseModel):
    """Something that happened to a video."""

    id: int
    at: datetime
    stage: str | None
    kind: str
    process: str
    attempt: int | None
    fence: int | None
    detail: str | None

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls(**{name: getattr(event, name) for name in cls.model_fields})


class TimelineView(BaseModel):
    """A video's spans, in the order of their starts."""

    spans: list[SpanView]


class EventsView(BaseModel):
    """A video's events, oldest first."""

    events: list[EventView]


@router.get("/{video_hash}/timeline", responses=problems(404))
def timeline(video_hash: str, parts: Given) -> TimelineView:
    """Where the video's time went: waiting apart from work, each attempt with what it was made of."""
    parts.store.video(video_hash)
    return TimelineView(spans=[SpanView.of(span) for span in parts.store.spans(video_hash)])


@router.get("/{video_hash}/events", responses=problems(404))
def events(video_hash: str, parts: Given) -> EventsView:
    """What happened to the video, in order."""
    parts.store.video(video_hash)
    return EventsView(events=[EventView.of(event) for event in parts.store.events(video_hash, limit=MOST)])
