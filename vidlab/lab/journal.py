"""What the supervisor did, in order: started, ready, exited, killed by you, scaled."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

log = logging.getLogger(__name__)

KEPT = 5_000  # events


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened."""

    #: Higher than that of each event before it, also of those before the lab was taken down.
    id: int
    #: Seconds since the epoch.
    time: float
    #: What happened, in one word: started ready exited killed paused resumed stopping stopped done failed late
    #: scaled up down.
    kind: str
    #: The process or kind that it happened to; "lab" for the lab as a whole.
    process: str
    text: str = ""
    #: Numbers and addresses that go with it.
    facts: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Journal:
    """The last events, and a way to wait for the next."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=KEPT)
        # Above those of an earlier supervisor, so that who knows its last event is told what came after it.
        self._next = time.time_ns() // 1_000_000
        self._news = asyncio.Event()

    def tell(self, kind: str, process: str, text: str = "", **facts: Any) -> Event:
        """Note an event, and wake who waits for one."""
        event = Event(id=self._next, time=time.time(), kind=kind, process=process, text=text, facts=facts)
        self._next += 1
        self._events.append(event)
        log.info("%s %s %s", kind, process, text)
        self._news.set()
        return event

    def after(self, last: int) -> list[Event]:
        """The events that came after that one."""
        return [event for event in self._events if event.id > last]

    async def wait_after(self, last: int, seconds: float) -> list[Event]:
        """The same, but when there are none wait for one for so long."""
        deadline = time.monotonic() + seconds
        while not (events := self.after(last)) and (left := deadline - time.monotonic()) > 0:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                break
        return events
