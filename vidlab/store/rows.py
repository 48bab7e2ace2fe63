"""From database rows to the frozen rows that leave this package, and the few statements that several modules share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, insert, select, update

from vidlab.errors import UnknownVideo
from vidlab.events import new_message
from vidlab.models import Job, State, Status, Video, jobs, outbox, videos
from vidlab.profiles import MASTER, PROFILES
from vidlab.store.clock import now

DONE_COLUMNS = {profile.name: videos.c[profile.column] for profile in PROFILES}


def to_video(row: RowMapping) -> Video:
    """The done columns become one mapping, and the reference's names for paths say what they hold."""
    facts: dict[str, Any] = {str(name): value for name, value in row.items()}
    facts |= {f"{name}_path": facts.pop(f"{name}_url") for name in ("hls_master", "thumbnail")}
    done = {profile.name: bool(facts.pop(profile.column)) for profile in PROFILES}
    return Video(**facts | {"status": Status(facts["status"])}, done=done)


def to_job(row: RowMapping) -> Job:
    facts: dict[str, Any] = {str(name): value for name, value in row.items()}
    return Job(**facts | {"state": State(row["state"])})


def locked(connection: Connection, video_hash: str) -> Video:
    """The video's row, held until the transaction ends: whoever decides about a video's end decides alone.

    SQLite knows no row locks and needs none: a writing transaction holds the whole file. Raises UnknownVideo.
    """
    row = connection.execute(_by_hash(video_hash).with_for_update()).mappings().first()
    if row is None:
        raise UnknownVideo(video_hash=video_hash)
    return to_video(row)


def _by_hash(video_hash: str) -> Select[Any]:
    return select(videos).where(videos.c.video_hash == video_hash)


def job_is(video_hash: str, stage: str) -> ColumnElement[bool]:
    return (jobs.c.video_hash == video_hash) & (jobs.c.stage == stage)


def change(connection: Connection, video_hash: str, **values: Any) -> None:
    """Set columns of a video."""
    mine = videos.c.video_hash == video_hash
    connection.execute(update(videos).where(mine).values(updated_at=now(), **values))


def add_job(connection: Connection, video_hash: str, stage: str, state: State, error: str | None = None) -> None:
    """A new row in `jobs`; `error` says why a rung is skipped."""
    ended = {"finished_at": now(), "progress": 1.0} if state == State.SKIPPED else {}
    since = {} if stage == MASTER else {"queued_at": now()}  # the master waits for the others, not for a worker
    row = {"video_hash": video_hash, "stage": stage, "state": state, "error": error} | ended | since
    connection.execute(insert(jobs).values(row))


def post(connection: Connection, topic: str, video_hash: str, source_etag: str, span_id: str) -> None:
    """Put a message into the outbox: it will be sent, whatever dies after this transaction."""
    message = new_message(topic, video_hash, source_etag, f"00-{video_hash}-{span_id}-01")
    row = {"topic": topic, "key": video_hash, "payload": message.to_json(), "created_at": now()}
    connection.execute(insert(outbox).values(row))
