"""Videos as the API knows them: created, read, finalized, retried, deleted."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from vidlab.errors import UnknownVideo, UploadJustEnded, WrongState
from vidlab.models import OPEN, Counts, Job, State, Status, Video, jobs, outbox, spans, videos
from vidlab.profiles import PREPROCESSING, Topic
from vidlab.store.clock import now
from vidlab.store.record import Record
from vidlab.store.rows import add_job, change, locked, post, to_job, to_video

WELL_FORMED = re.compile("[0-9a-f]{32}")


class Videos(Record):
    """The `videos` table and what belongs to one video."""

    # -- reading

    def video(self, video_hash: str) -> Video:
        """Raises UnknownVideo, also for one that is being deleted."""
        if not WELL_FORMED.fullmatch(video_hash):  # PostgreSQL refuses some texts, instead of not finding them
            raise UnknownVideo(video_hash=video_hash)
        query = select(videos).where(videos.c.video_hash == video_hash, videos.c.status != Status.DELETING)
        with self.database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise UnknownVideo(video_hash=video_hash)
        return to_video(row)

    def videos(self, *, status: str | None = None, limit: int = 50, before: int | None = None) -> list[Video]:
        """Newest first; `before` is the id of the last one that was seen."""
        query = select(videos).where(videos.c.status != Status.DELETING).order_by(videos.c.id.desc()).limit(limit)
        query = query.where(videos.c.status == status) if status else query
        query = query.where(videos.c.id < before) if before is not None else query
        with self.database.read() as connection:
            return [to_video(row) for row in connection.execute(query).mappings()]

    def jobs(self, video_hash: str) -> list[Job]:
        """The video's jobs in the order in which they were made: preprocessing, the profiles, the master."""
        query = select(jobs).where(jobs.c.video_hash == video_hash).order_by(jobs.c.id)
        with self.database.read() as connection:
            return [to_job(row) for row in connection.execute(query).mappings()]

    def jobs_of(self, hashes: Collection[str]) -> dict[str, list[Job]]:
        """The jobs of several videos, each video's in the order in which they were made."""
        query = select(jobs).where(jobs.c.video_hash.in_(hashes)).order_by(jobs.c.id)
        found: dict[str, list[Job]] = {video_hash: [] for video_hash in hashes}
        with self.database.read() as connection:
            for row in connection.execute(query).mappings():
                found[row["video_hash"]].append(to_job(row))
        return found

    def some(self, hashes: Collection[str]) -> list[Video]:
        """Those of these videos that there are, newest first."""
        known = videos.c.video_hash.in_(hashes) & (videos.c.status != Status.DELETING)
        with self.database.read() as connection:
            query = select(videos).where(known).order_by(videos.c.id.desc())
            return [to_video(row) for row in connection.execute(query).mappings()]

    def going_on(self, limit: int) -> list[Video]:
        """Videos that have not ended, newest first."""
        going = videos.c.status.in_((Status.UPLOADING, Status.PREPROCESSING, Status.PROCESSING))
        with self.database.read() as connection:
            query = select(videos).where(going).order_by(videos.c.id.desc()).limit(limit)
            return [to_video(row) for row in connection.execute(query).mappings()]

    def places(self, hashes: Collection[str]) -> dict[tuple[str, str], int]:
        """(video_hash, stage) -> place in its queue, 1 is next; of those jobs of these videos that are queued."""
        place = func.row_number().over(partition_by=jobs.c.stage, order_by=(jobs.c.queued_at, jobs.c.id))
        ranked = select(jobs.c.video_hash, jobs.c.stage, place.label("place")).where(jobs.c.state == State.QUEUED)
        inner = ranked.subquery()
        with self.database.read() as connection:
            rows = connection.execute(select(inner).where(inner.c.video_hash.in_(hashes))).all()
        return {(row.video_hash, row.stage): row.place for row in rows}

    def oldest_unread(self) -> dict[str, datetime]:
        """Stage -> since when the oldest job waits whose message its consumer has not handed on."""
        fresh = (jobs.c.state == State.WAITING) & jobs.c.retry_at.is_(None) & jobs.c.retry_delay.is_(None)
        query = select(jobs.c.stage, func.min(jobs.c.queued_at)).where(fresh, jobs.c.queued_at.is_not(None))
        with self.database.read() as connection:
            return {stage: since for stage, since in connection.execute(query.group_by(jobs.c.stage)).all()}

    def counts(self) -> Counts:
        """Videos by status, jobs by stage and state, messages not yet sent."""
        by_job = select(jobs.c.stage, jobs.c.state, func.count()).group_by(jobs.c.stage, jobs.c.state)
        unsent = select(func.count()).select_from(outbox).where(outbox.c.sent_at.is_(None))
        with self.database.read() as connection:
            by_status = connection.execute(select(videos.c.status, func.count()).group_by(videos.c.status)).all()
            return Counts(
                videos_by_status={status: count for status, count in by_status},
                jobs={(stage, state): count for stage, state, count in connection.execute(by_job)},
                outbox_unsent=connection.scalar(unsent) or 0,
            )

    # -- upload

    def create_upload(
        self, *, total_chunks: int, filename: str, extension: str, title: str, idempotency_key: str | None
    ) -> Video:
        """A new video, or the one that this key already made. Callers compare total_chunks."""
        facts = {"total_chunks": total_chunks, "filename": filename, "extension": extension, "title": title}
        try:
            return self.video(self._insert(facts | {"idempotency_key": idempotency_key}))
        except IntegrityError:
            # Someone else's first chunk with the same key came at the same moment: theirs counts.
            return self._by_key(idempotency_key)

    def _insert(self, facts: dict[str, Any]) -> str:
        video_hash = secrets.token_hex(16)
        moment = now()
        row = {"video_hash": video_hash, "status": Status.UPLOADING, "created_at": moment, "updated_at": moment}
        with self.database.write() as connection:
            connection.execute(insert(videos).values(row | facts))
            self.open_span(connection, video_hash, "upload", "upload")
            self.tell(connection, "uploading", video_hash, stage="upload", detail=facts["filename"])
        return video_hash

    def _by_key(self, idempotency_key: str | None) -> Video:
        query = select(videos).where(videos.c.idempotency_key == idempotency_key)
        with self.database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:  # it failed or was deleted at this very moment: asked again, the key is free
            raise UploadJustEnded
        return to_video(row)

    def finalize(self, video_hash: str, *, source_etag: str, bytes: int) -> Video:
        """Row, job and outbox message in one transaction; called again it changes nothing."""
        with self.database.write() as connection:
            video = locked(connection, video_hash)
            if video.status == Status.UPLOADING:
                facts = {"status": Status.PREPROCESSING, "original_etag": source_etag, "bytes": bytes}
                change(connection, video_hash, **facts, finalized_at=now())
                self.close_spans(connection, video_hash, "upload", "ok")
                add_job(connection, video_hash, PREPROCESSING.name, State.WAITING)
                self._hand_to_preprocessing(connection, video_hash, source_etag)
                self.tell(connection, "finalized", video_hash, stage="upload", detail=f"{bytes} bytes")
        return self.video(video_hash)

    def _hand_to_preprocessing(self, connection: Connection, video_hash: str, etag: str) -> None:
        span_id = self.open_span(connection, video_hash, PREPROCESSING.name, "queue", kind="queue")
        post(connection, Topic.PREPROCESSING, video_hash, etag, span_id)

    def fail_upload(self, video_hash: str, reason: str) -> None:
        """End an upload that cannot go on. Does nothing when it is an upload no longer."""
        with self.database.write() as connection:
            if locked(connection, video_hash).status == Status.UPLOADING:
                facts = {"error_stage": "upload", "error_reason": reason, "ended_at": now()}
                change(connection, video_hash, status=Status.FAILED, idempotency_key=None, **facts)
                self.close_spans(connection, video_hash, "upload", "error")
                self.tell(connection, "video_failed", video_hash, stage="upload", detail=reason)

    def expired_uploads(self, seconds: float) -> list[Video]:
        """Uploads that were begun longer ago than that."""
        old = videos.c.created_at < now() - timedelta(seconds=seconds)
        query = select(videos).where(videos.c.status == Status.UPLOADING, old)
        with self.database.read() as connection:
            return [to_video(row) for row in connection.execute(query).mappings()]

    # -- retry and delete

    def retry(self, video_hash: str) -> Video:
        """Begin again with what failed, and only that. Raises WrongState when nothing can be retried."""
        with self.database.write() as connection:
            video = locked(connection, video_hash)
            _refuse_retry(video)
            status = Status.PREPROCESSING if video.error_stage == PREPROCESSING.name else Status.PROCESSING
            change(connection, video_hash, status=status, error_stage=None, error_reason=None, ended_at=None)
            self.tell(connection, "retried", video_hash, stage=video.error_stage)
            self._reopen(connection, video)
        return self.video(video_hash)

    def _reopen(self, connection: Connection, video: Video) -> None:
        fresh: dict[str, Any] = {
            "errors": 0,
            "lost": 0,
            "attempt": 0,
            "away_seconds": 0.0,
            "error": None,
            "finished_at": None,
        }
        by_topic = video.error_stage == PREPROCESSING.name
        # The keeper sends what has a delay that is over.
        fresh |= {"queued_at": now(), "state": State.WAITING, "retry_delay": None if by_topic else 0.0}
        failed = (jobs.c.video_hash == video.video_hash) & (jobs.c.state == State.FAILED)
        for (stage,) in connection.execute(update(jobs).where(failed).values(fresh).returning(jobs.c.stage)).all():
            self.tell(connection, "waiting", video.video_hash, stage=stage, detail="tried again")
            if not by_topic:
                self.open_span(connection, video.video_hash, stage, "queue", kind="queue")
        if by_topic:
            self._hand_to_preprocessing(connection, video.video_hash, video.original_etag or "")

    def delete(self, video_hash: str) -> None:
        """Hide the video at once and raise all fences; the keeper removes the rest when nobody works on it."""
        self.video(video_hash)
        with self.database.write() as connection:
            locked(connection, video_hash)
            # Whoever sends the same file again begins anew.
            change(connection, video_hash, status=Status.DELETING, idempotency_key=None)
            still_open = (jobs.c.video_hash == video_hash) & jobs.c.state.in_(OPEN)
            raised = update(jobs).where(still_open).values(state=State.CANCELLED, fence=jobs.c.fence + 1)
            cancelled = connection.execute(raised.returning(jobs.c.stage, jobs.c.fence)).all()
            unsent = (outbox.c.key == video_hash) & outbox.c.sent_at.is_(None)
            connection.execute(delete(outbox).where(unsent))
            self.tell(connection, "deleting", video_hash)
            for stage, fence in cancelled:
                self.tell(connection, "cancelled", video_hash, stage=stage, fence=fence)

    def deleting(self) -> list[tuple[Video, list[Job]]]:
        """Videos that are to be removed, each with the cancelled jobs that somebody may still be working on."""
        query = select(videos).where(videos.c.status == Status.DELETING)
        held = select(jobs).where(jobs.c.owner.is_not(None), jobs.c.state == State.CANCELLED)
        with self.database.read() as connection:
            gone = [to_video(row) for row in connection.execute(query).mappings()]
            busy = [to_job(row) for row in connection.execute(held).mappings()]
        return [(video, [job for job in busy if job.video_hash == video.video_hash]) for video in gone]

    def remove(self, video_hash: str) -> None:
        """Forget a video whose blobs are gone. Its events stay."""
        with self.database.write() as connection:
            for table in (spans, jobs, videos):
                connection.execute(delete(table).where(table.c.video_hash == video_hash))
            self.tell(connection, "deleted", video_hash)


def _refuse_retry(video: Video) -> None:
    if video.status == Status.DELETING:
        raise UnknownVideo(video_hash=video.video_hash)
    if video.status != Status.FAILED:
        raise _wrong(video, "only what failed can be tried again.")
    if video.infected:
        raise _wrong(video, "an infected file is not tried again; send a clean one.")
    if video.error_stage == "upload":
        raise _wrong(video, "the upload itself failed; send the file again.")


def _wrong(video: Video, why: str) -> WrongState:
    return WrongState(video_hash=video.video_hash, status=video.status, why=why)
