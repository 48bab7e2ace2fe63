"""The tables, and the frozen rows that leave the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)

from vidlab.profiles import PROFILES, Profile


class Status(StrEnum):
    """Where a video stands; the last two before `DELETING` are its ends."""

    UPLOADING = "uploading"
    PREPROCESSING = "preprocessing"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    DELETING = "deleting"


class State(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: A job in one of these will still change.
OPEN = (State.WAITING, State.QUEUED, State.RUNNING)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets the zone, so that it is taken off before and put on after."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value else None


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def done_column(profile: Profile) -> Column[bool]:
    """The column that says that a profile is done or does not apply: the fan-in is all of them TRUE."""
    return Column(profile.column, Boolean, nullable=False, server_default=false())


videos = Table(
    "videos",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("video_hash", String(32), unique=True, nullable=False),
    Column("idempotency_key", String(255), unique=True),
    Column("title", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("extension", String(8), nullable=False),
    Column("status", String(16), nullable=False, index=True),
    Column("total_chunks", Integer, nullable=False),
    Column("bytes", BigInteger),
    Column("sha256", String(64)),
    Column("original_etag", Text),
    Column("source_etag", Text),
    # What preprocessing found out about the original.
    Column("width", Integer),
    Column("height", Integer),
    Column("duration", Float),
    Column("frame_rate", String(32)),
    Column("codec", String(32)),
    Column("actual_mime_type", String(64)),
    #: What was done to make source.mp4, and why.
    Column("normalised", Text),
    #: All that the probe saw of source.mp4; the transcoders read it instead of probing again.
    Column("media", JSON),
    # Paths, not addresses: ports change. The names are those of the reference's table.
    Column("hls_master_url", Text),
    Column("thumbnail_url", Text),
    Column("error_stage", String(32)),
    Column("error_reason", Text),
    #: An infected file is kept back and cannot be retried.
    Column("infected", Boolean, nullable=False, server_default=false()),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("finalized_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    *(done_column(profile) for profile in PROFILES),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("video_hash", String(32), ForeignKey("videos.video_hash", ondelete="CASCADE"), nullable=False),
    #: `preprocessing`, a profile's name, or `master`.
    Column("stage", String(32), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    #: How often a worker began; what was handed back or waited for a server does not count.
    Column("attempt", Integer, nullable=False, default=0),
    Column("errors", Integer, nullable=False, default=0),
    Column("lost", Integer, nullable=False, default=0),
    #: Raised by each claim: what an older fence writes is refused, in the database and in blob storage.
    Column("fence", Integer, nullable=False, default=0),
    Column("owner", String(64)),
    #: A counter, not a time, so that no worker's clock matters.
    Column("beat", Integer, nullable=False, default=0),
    Column("progress", Float, nullable=False, default=0.0),
    Column("speed", Float),
    Column("error", Text),
    #: Seconds to wait, told by the worker; the keeper alone turns it into a time, by its own clock.
    Column("retry_delay", Float),
    Column("retry_at", UtcDateTime),
    #: How long this job has been waiting for a server that is away, in seconds.
    Column("away_seconds", Float, nullable=False, default=0.0),
    #: Since when it waits for a worker, be it in Kafka, in its queue or for its next attempt.
    Column("queued_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    #: What a rendition measured of itself; the master playlist is made from these.
    Column("output", JSON),
    UniqueConstraint("video_hash", "stage"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("topic", String(64), nullable=False),
    Column("key", String(32), nullable=False),
    Column("payload", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime, index=True),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("video_hash", String(32), nullable=False, index=True),
    Column("stage", String(32)),
    Column("kind", String(32), nullable=False),
    Column("process", String(64), nullable=False),
    Column("attempt", Integer),
    Column("fence", Integer),
    Column("detail", Text),
)

spans = Table(
    "spans",
    metadata,
    Column("span_id", String(16), primary_key=True),
    Column("parent_id", String(16)),
    Column("video_hash", String(32), nullable=False),
    Column("stage", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    #: `queue` (nobody worked on it) or `work`.
    Column("kind", String(8), nullable=False),
    Column("process", String(64), nullable=False),
    Column("attempt", Integer),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    #: `open`, `ok`, `error`, `lost`, `handed_back`.
    Column("status", String(16), nullable=False),
    Index("ix_spans_video_hash_stage", "video_hash", "stage"),
)


@dataclass(frozen=True, kw_only=True)
class Video:
    """A row of `videos`."""

    id: int
    video_hash: str
    idempotency_key: str | None
    title: str
    filename: str
    extension: str
    status: Status
    total_chunks: int
    bytes: int | None
    sha256: str | None
    original_etag: str | None
    source_etag: str | None
    width: int | None
    height: int | None
    duration: float | None
    frame_rate: str | None
    codec: str | None
    actual_mime_type: str | None
    normalised: str | None
    media: dict[str, Any] | None
    hls_master_path: str | None
    thumbnail_path: str | None
    error_stage: str | None
    error_reason: str | None
    infected: bool
    created_at: datetime
    updated_at: datetime
    finalized_at: datetime | None
    ended_at: datetime | None
    #: Profile name -> done; the fan-in.
    done: dict[str, bool] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.status in (Status.COMPLETED, Status.FAILED)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A row of `jobs`."""

    id: int
    video_hash: str
    stage: str
    state: State
    attempt: int
    errors: int
    lost: int
    fence: int
    owner: str | None
    beat: int
    progress: float
    speed: float | None
    error: str | None
    retry_delay: float | None
    retry_at: datetime | None
    away_seconds: float
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    output: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to work on a job, until someone else's fence is higher."""

    job_id: int
    video_hash: str
    stage: str
    owner: str
    fence: int
    attempt: int
    #: The span of this attempt; what is done in it hangs below.
    span_id: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """A row of `events`: something that happened to a video, written with the change itself."""

    id: int
    at: datetime
    video_hash: str
    stage: str | None
    kind: str
    process: str
    attempt: int | None
    fence: int | None
    detail: str | None


@dataclass(frozen=True, kw_only=True)
class Span:
    """A row of `spans`: a stretch of a video's time, spent waiting or working."""

    span_id: str
    parent_id: str | None
    video_hash: str
    stage: str
    name: str
    kind: str
    process: str
    attempt: int | None
    started_at: datetime
    ended_at: datetime | None
    status: str


@dataclass(frozen=True, kw_only=True)
class OutboxRow:
    """A message that is to be sent."""

    id: int
    topic: str
    key: str
    payload: str


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What /metrics tells of the database."""

    videos_by_status: dict[str, int]
    jobs: dict[tuple[str, str], int]
    outbox_unsent: int
