"""What happened, as messages: to the lab's processes as their supervisor tells it, to videos as the database does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from vidlab.api.live.looks import supervisor
from vidlab.api.live.outbox import Message
from vidlab.api.parts import Parts
from vidlab.models import Event

NEWEST = 50  # events of a snapshot
#: An event is older than its commit; one that was told in a snapshot too is known by its id.
EARLIER = timedelta(seconds=1)
#: Kinds of events that would not read well behind their stage.
SAID = {"uploading": "began"}


def lab_events(parts: Parts, after: int) -> list[Message]:
    """What the supervisor did since that event; all that it remembers when `after` is 0. Raises DependencyAway."""
    return [
        {
            "id": f"lab-{event.id}",
            "number": event.id,
            "at": datetime.fromtimestamp(event.time, UTC).isoformat(),
            "source": "lab",
            "kind": event.kind,
            "video_hash": None,
            "stage": None,
            "process": event.process,
            "text": f"{event.process} {event.text or event.kind}",
        }
        for event in supervisor(parts).events(after)
    ]


def video_event(event: Event) -> Message:
    """What happened to a video, as a message."""
    return {
        "id": f"video-{event.id}-{event.video_hash[:8]}",  # a lab that was reset counts from 1 again
        "number": event.id,
        "at": event.at.isoformat(),
        "source": "video",
        "kind": event.kind,
        "video_hash": event.video_hash,
        "stage": event.stage,
        "process": event.process,
        "text": _text(event),
    }


def _text(event: Event) -> str:
    stage = f"{event.stage} " if event.stage else ""
    attempt = f", attempt {event.attempt}" if event.attempt and event.attempt > 1 else ""
    detail = f" ({event.detail})" if event.detail else ""
    return f"{stage}{SAID.get(event.kind, event.kind.replace('_', ' '))}{attempt}{detail}"


class Journal:
    """The supervisor's events, from now on."""

    server = "supervisor"

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.since = datetime.now(UTC) - EARLIER
        self.last: int | None = None

    def news(self) -> list[Message]:
        """What came since the last question; at the first one since this was made. Raises DependencyAway."""
        found = lab_events(self.parts, self.last or 0)
        is_first, self.last = self.last is None, max((event["number"] for event in found), default=self.last or 0)
        return [event for event in found if not is_first or datetime.fromisoformat(event["at"]) >= self.since]


class History:
    """The videos' events, from now on."""

    server = "database"

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.since = datetime.now(UTC) - EARLIER
        self.last: int | None = None

    def news(self) -> list[Message]:
        """What came since the last question; at the first one since this was made. Raises DependencyAway."""
        store = self.parts.store
        found = store.newest_events(NEWEST) if self.last is None else store.events(after=self.last)
        is_first, self.last = self.last is None, found[-1].id if found else self.last or 0
        return [video_event(event) for event in found if not is_first or event.at >= self.since]
