"""Events and spans, written in the transaction of the change that they tell of."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, insert, select, update

from vidlab.announce import Announcer
from vidlab.models import Event, Span, events, spans
from vidlab.settings import Settings
from vidlab.store.clock import now, set_ahead
from vidlab.store.engine import Database, changed


def new_span_id() -> str:
    """16 hex digits, as W3C trace context wants them."""
    return secrets.token_hex(8)


class Record:
    """What happened, in order: the ticker, the timeline and the checker read it."""

    def __init__(self, settings: Settings, *, announce: bool = False) -> None:
        """With `announce` whoever watches is told, over Redis, of each video that changes."""
        self.settings = settings
        self.process = settings.process
        self.announcer = Announcer(settings.redis_url) if announce else None
        self.database = Database(settings, self.announcer.tell if self.announcer else None)
        set_ahead(settings.clock_off_seconds)

    def tell(self, connection: Connection, kind: str, video_hash: str, **facts: Any) -> None:
        """Write an event. `facts` are stage, attempt, fence and detail."""
        row = {"at": now(), "video_hash": video_hash, "kind": kind, "process": self.process, **facts}
        connection.execute(insert(events).values(row))
        changed(connection, video_hash)

    def newest_events(self, limit: int) -> list[Event]:
        """The last ones of all videos, oldest first."""
        query = select(events).order_by(events.c.id.desc()).limit(limit)
        with self.database.read() as connection:
            return [Event(**row) for row in connection.execute(query).mappings()][::-1]

    def events(self, video_hash: str | None = None, after: int = 0, limit: int = 1000) -> list[Event]:
        """Events with an id above `after`, oldest first; of one video, or of all."""
        query = select(events).where(events.c.id > after).order_by(events.c.id).limit(limit)
        if video_hash:
            query = query.where(events.c.video_hash == video_hash)
        with self.database.read() as connection:
            return [Event(**row) for row in connection.execute(query).mappings()]

    # -- spans

    def open_span(
        self,
        connection: Connection,
        video_hash: str,
        stage: str,
        name: str,
        *,
        kind: str = "work",
        parent_id: str | None = None,
        attempt: int | None = None,
    ) -> str:
        """Begin a span in a transaction that is open, and give its id."""
        span_id = new_span_id()
        row: dict[str, Any] = {"span_id": span_id, "parent_id": parent_id, "video_hash": video_hash}
        row |= {"stage": stage, "name": name}
        row |= {"kind": kind, "process": self.process, "attempt": attempt, "started_at": now(), "status": "open"}
        connection.execute(insert(spans).values(row))
        return span_id

    def close_spans(self, connection: Connection, video_hash: str, stage: str, status: str, kind: str = "work") -> None:
        """End all open spans of that kind of a job: only one attempt is ever live."""
        mine = (spans.c.video_hash == video_hash) & (spans.c.stage == stage) & (spans.c.status == "open")
        connection.execute(update(spans).where(mine & (spans.c.kind == kind)).values(ended_at=now(), status=status))

    def write_span(self, connection: Connection, span: Span) -> None:
        """Write a span, or the end of one that is open; the end that the keeper gave to one as lost stays."""
        known = connection.execute(select(spans.c.status).where(spans.c.span_id == span.span_id)).first()
        if known is None:
            connection.execute(insert(spans).values(asdict(span)))
        elif known.status == "open":
            ended = {"ended_at": span.ended_at, "status": span.status}
            connection.execute(update(spans).where(spans.c.span_id == span.span_id).values(ended))

    def spans(self, video_hash: str) -> list[Span]:
        """A video's spans in the order of their starts."""
        query = select(spans).where(spans.c.video_hash == video_hash).order_by(spans.c.started_at)
        with self.database.read() as connection:
            return [Span(**row) for row in connection.execute(query).mappings()]
