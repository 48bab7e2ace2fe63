"""What a snapshot says of videos, and of what happened to them and to the lab."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from vidlab.api.live.events import NEWEST, lab_events, video_event
from vidlab.api.live.outbox import Message
from vidlab.api.parts import Parts
from vidlab.api.videos import shown_all
from vidlab.errors import DependencyAway

MOST_GOING = 200  # videos that go on, of a snapshot and of a sweep
MOST_ENDED = 50  # videos


def one(parts: Parts, video_hash: str) -> Message:
    """A video and its newest events. Raises UnknownVideo, DependencyAway."""
    video = shown_all(parts, [parts.store.video(video_hash)])[0]
    events = [video_event(event) for event in parts.store.events(video_hash)]
    return {"video": video.model_dump(mode="json"), "events": events[-NEWEST:]}


def newest(parts: Parts) -> Message:
    """All videos that go on, the newest of all, and the newest events. Raises DependencyAway."""
    store = parts.store
    found = {video.video_hash: video for video in (*store.going_on(MOST_GOING), *store.videos(limit=MOST_ENDED))}
    videos = sorted(found.values(), key=lambda video: video.id, reverse=True)
    views = [view.model_dump(mode="json") for view in shown_all(parts, videos)]
    return {"videos": views, "events": newest_events(parts)}


def newest_events(parts: Parts) -> list[Message]:
    """What happened last, the last one last. Raises DependencyAway when the database is."""
    found = [video_event(event) for event in parts.store.newest_events(NEWEST)]
    with suppress(DependencyAway):  # told apart from this
        found += lab_events(parts, 0)
    return sorted(found, key=lambda event: str(event["at"]))[-NEWEST:]


def views_of(parts: Parts, hashes: Iterable[str]) -> dict[str, Message]:
    """Those of these videos that there are. Raises DependencyAway."""
    videos = parts.store.some(list(hashes))
    return {view.video_hash: view.model_dump(mode="json") for view in shown_all(parts, videos)}
