"""Everything that the database knows, as it was at one moment: what a verdict is made from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, RowMapping, Table, select

from vidlab.models import Event, Job, Span, Video, events, jobs, outbox, spans, videos
from vidlab.store.record import Record
from vidlab.store.rows import to_job, to_video


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A row of `outbox`, sent or not."""

    id: int
    topic: str
    key: str
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Rows of all tables that belong together; videos that are being deleted are among them."""

    videos: tuple[Video, ...]
    jobs: tuple[Job, ...]
    events: tuple[Event, ...]
    outbox: tuple[Posted, ...]
    spans: tuple[Span, ...]


_POSTED = tuple(Posted.__dataclass_fields__)


class Snapshots(Record):
    """Reads all tables in one transaction."""

    def snapshot(self, only: Collection[str] | None = None) -> Snapshot:
        """The rows of these videos, or of all."""
        with self.database.read() as connection:
            if not self.database.is_sqlite:  # there a transaction sees one moment in any case
                connection.execution_options(isolation_level="REPEATABLE READ")
            return Snapshot(
                videos=tuple(to_video(row) for row in _rows(connection, videos, videos.c.video_hash, only)),
                jobs=tuple(to_job(row) for row in _rows(connection, jobs, jobs.c.video_hash, only)),
                events=tuple(Event(**row) for row in _rows(connection, events, events.c.video_hash, only)),
                outbox=tuple(_posted(row) for row in _rows(connection, outbox, outbox.c.key, only)),
                spans=tuple(Span(**row) for row in _rows(connection, spans, spans.c.video_hash, only)),
            )


def _rows(
    connection: Connection, table: Table, video_hash: Column[str], only: Collection[str] | None
) -> list[RowMapping]:
    order = table.c.get("id", table.c.get("started_at"))
    query = select(table).order_by(order)
    query = query if only is None else query.where(video_hash.in_(only))
    return list(connection.execute(query).mappings())


def _posted(row: RowMapping) -> Posted:
    return Posted(**{name: row[name] for name in _POSTED})
