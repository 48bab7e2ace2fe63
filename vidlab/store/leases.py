"""Who works on what: claims, beats and ends of jobs, and the decision about a video's end.

A claim raises the fence. Whatever ends a job is conditional on owner and fence, so that a worker that was stopped,
lost its lease and wakes again changes nothing. Deciding about a video locks its row first: two finishers that read
each other's rows unlocked each see the other unfinished, and the video is stuck.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, update

from vidlab.errors import LeaseLost
from vidlab.models import OPEN, Lease, Span, State, Status, Video, jobs, videos
from vidlab.profiles import MASTER, PREPROCESSING, PROFILES, Size, Topic, skip_reason
from vidlab.store.clock import now
from vidlab.store.engine import changed
from vidlab.store.record import Record
from vidlab.store.rows import DONE_COLUMNS, add_job, change, job_is, locked, post

RETRY_CEILING = 60.0  # seconds; no pause between attempts is longer
AWAY_CEILING = 10.0  # seconds; how often a server that is away is tried again, at the least


class Leases(Record):
    """The `jobs` table as the workers and consumers know it."""

    # -- hand-over

    def enqueue(self, video_hash: str, stage: str, source_etag: str) -> bool:
        """Note that a job goes to its Celery queue. False when the message asks for nothing that is to be done.

        A job that is queued already is sent again: the message came twice, or the consumer died in between.
        """
        column = videos.c.original_etag if stage == PREPROCESSING.name else videos.c.source_etag
        meant = select(column).where(videos.c.video_hash == video_hash).scalar_subquery() == source_etag
        fresh = (jobs.c.state == State.WAITING) & jobs.c.retry_at.is_(None) & jobs.c.retry_delay.is_(None)
        queued = update(jobs).where(job_is(video_hash, stage), fresh, meant)
        with self.database.write() as connection:
            if connection.execute(queued.values(state=State.QUEUED)).rowcount:
                self.tell(connection, "queued", video_hash, stage=stage)
                return True
            state = connection.scalar(select(jobs.c.state).where(job_is(video_hash, stage), meant))
            if state != State.SKIPPED:  # that was told when it was skipped, and every such message comes to this
                kind = "message_repeated" if state == State.QUEUED else "message_ignored"
                self.tell(connection, kind, video_hash, stage=stage, detail=state or "no such job")
            return bool(state == State.QUEUED)

    # -- working

    def claim(self, video_hash: str, stage: str) -> Lease | None:
        """Take the lease of a queued job; None when it is not to be had: somebody has it, or it is done."""
        with self.database.write() as connection:
            lease = self._claim(connection, video_hash, stage, State.QUEUED)
            if lease is None:
                state = connection.scalar(select(jobs.c.state).where(job_is(video_hash, stage)))
                self.tell(connection, "refused", video_hash, stage=stage, detail=state or "no such job")
            return lease

    def _claim(self, connection: Connection, video_hash: str, stage: str, state: State) -> Lease | None:
        taken = (
            update(jobs)
            .where(job_is(video_hash, stage), jobs.c.state == state)
            .values(
                state=State.RUNNING,
                owner=self.process,
                fence=jobs.c.fence + 1,
                attempt=jobs.c.attempt + 1,
                progress=0.0,
                speed=None,
                started_at=now(),
            )
        )
        row = connection.execute(taken.returning(jobs.c.id, jobs.c.fence, jobs.c.attempt)).first()
        if row is None:
            return None
        self.close_spans(connection, video_hash, stage, "ok", kind="queue")
        span_id = self.open_span(connection, video_hash, stage, stage, attempt=row.attempt)
        self.tell(connection, "claimed", video_hash, stage=stage, attempt=row.attempt, fence=row.fence)
        facts = {"owner": self.process, "fence": row.fence, "attempt": row.attempt, "span_id": span_id}
        return Lease(job_id=row.id, video_hash=video_hash, stage=stage, **facts)

    def beat(self, lease: Lease, progress: float, speed: float | None) -> bool:
        """Say that the work goes on. False when the lease is lost: stop."""
        alive = {"beat": jobs.c.beat + 1, "progress": progress, "speed": speed}
        with self.database.write() as connection:
            if connection.execute(update(jobs).where(_held(lease)).values(**alive)).rowcount:
                changed(connection, lease.video_hash)
                return True
            # Its video is being deleted: the keeper has to see that somebody still works, and may still write.
            connection.execute(update(jobs).where(_cancelled(lease)).values(beat=jobs.c.beat + 1))
            return False

    def tell_spans(self, lease: Lease, told: Sequence[Span]) -> None:
        """Write spans below the attempt's. Of an attempt that is over none is left open; of one that lost its lease
        nothing is written: nobody would end it.
        """
        mine = (jobs.c.id == lease.job_id) & (jobs.c.fence == lease.fence)
        with self.database.write() as connection:
            state = connection.scalar(select(jobs.c.state).where(mine).with_for_update())
            for span in told if state else ():
                if span.ended_at or state == State.RUNNING:
                    self.write_span(connection, span)

    # -- ends of an attempt

    def finish_preprocessing(self, lease: Lease, facts: dict[str, Any], source: Size) -> None:
        """Store what preprocessing found, make a row for each profile, and post the message: the fan-out.

        `facts` are columns of `videos`. A profile that does not apply is skipped here, its column TRUE.
        """
        skipped = {profile.name: skip_reason(profile, source) for profile in PROFILES}
        # FALSE is written too: a column that was added after a failure is TRUE, and a retry makes that profile.
        columns = {profile.column: bool(skipped[profile.name]) for profile in PROFILES}
        with self.database.write() as connection:
            locked(connection, lease.video_hash)
            self._end(connection, lease, State.DONE, "done", progress=1.0, error=None)
            change(connection, lease.video_hash, status=Status.PROCESSING, **facts, **columns)
            for name, reason in skipped.items():
                add_job(connection, lease.video_hash, name, State.SKIPPED if reason else State.WAITING, reason)
                kind = "skipped" if reason else "waiting"
                self.tell(connection, kind, lease.video_hash, stage=name, detail=reason)
                if not reason:
                    self.open_span(connection, lease.video_hash, name, "queue", kind="queue")
            add_job(connection, lease.video_hash, MASTER, State.WAITING)
            post(connection, Topic.PROCESSING, lease.video_hash, facts["source_etag"], lease.span_id)

    def finish_rendition(self, lease: Lease, output: dict[str, Any], **facts: Any) -> Lease | None:
        """Turn the profile's column TRUE. Who turned the last one gets the lease of the master playlist.

        Raises LeaseLost.
        """
        with self.database.write() as connection:
            locked(connection, lease.video_hash)
            self._end(connection, lease, State.DONE, "done", progress=1.0, output=output, error=None)
            return self._decide(connection, lease.video_hash, {DONE_COLUMNS[lease.stage].key: True, **facts})

    def _decide(self, connection: Connection, video_hash: str, changes: dict[str, Any]) -> Lease | None:
        """The fan-in: one UPDATE changes the row and returns all done columns as they now are."""
        mine = videos.c.video_hash == video_hash
        turned = update(videos).where(mine).values(updated_at=now(), **changes).returning(*DONE_COLUMNS.values())
        if all(connection.execute(turned).one()):
            return self._claim(connection, video_hash, MASTER, State.WAITING)
        of_profiles = (jobs.c.video_hash == video_hash) & (jobs.c.stage != MASTER)
        still_open = select(func.count()).select_from(jobs).where(of_profiles, jobs.c.state.in_(OPEN))
        if not connection.scalar(still_open):
            failed = select(jobs.c.stage, jobs.c.error).where(of_profiles, jobs.c.state == State.FAILED)
            stage, reason = connection.execute(failed.order_by(jobs.c.id)).first() or (MASTER, "no rendition is left")
            self._fail_video(connection, video_hash, stage, reason)
        return None

    def finish_master(self, lease: Lease, path: str) -> None:
        """The master playlist is stored: the video is completed."""
        with self.database.write() as connection:
            locked(connection, lease.video_hash)
            self._end(connection, lease, State.DONE, "done", progress=1.0, error=None)
            change(connection, lease.video_hash, status=Status.COMPLETED, hls_master_url=path, ended_at=now())
            self.tell(connection, "completed", lease.video_hash)

    def fail(self, lease: Lease, reason: str, *, permanent: bool, infected: bool = False) -> None:
        """An attempt failed of itself: try again after a pause, unless that cannot help or was done often enough."""
        with self.database.write() as connection:
            video = locked(connection, lease.video_hash)
            errors = connection.scalar(select(jobs.c.errors).where(jobs.c.id == lease.job_id)) or 0
            if permanent or errors + 1 >= self.settings.max_attempts:
                self._end(connection, lease, State.FAILED, "failed", detail=reason, error=reason, errors=errors + 1)
                self.end_failed(connection, video, lease.stage, reason, infected)
            else:
                pause = min(self.settings.retry_seconds * 2**errors, RETRY_CEILING)
                again = {"error": reason, "errors": errors + 1, "retry_delay": pause}
                self._end(connection, lease, State.WAITING, "attempt_failed", detail=reason, **again)

    def away(self, lease: Lease, reason: str, seconds: float) -> None:
        """A server did not answer for that long: wait without using up an attempt, but not for ever."""
        with self.database.write() as connection:
            video = locked(connection, lease.video_hash)
            waited = connection.scalar(select(jobs.c.away_seconds).where(jobs.c.id == lease.job_id)) or 0.0
            pause = min(max(self.settings.retry_seconds, waited / 2), AWAY_CEILING)
            if waited + seconds > self.settings.patience_seconds:
                reason = f"{reason} (waited {self.settings.patience_seconds:.0f} s)"
                self._end(connection, lease, State.FAILED, "failed", detail=reason, error=reason)
                self.end_failed(connection, video, lease.stage, reason)
                return
            again = {"error": reason, "retry_delay": pause, "away_seconds": waited + seconds + pause}
            self._end(connection, lease, State.WAITING, "waiting_for_server", detail=reason, **again, **_UNUSED)

    def hand_back(self, lease: Lease) -> None:
        """The lab goes down: the job is queued as before; the keeper sends it when the lab is up again."""
        with self.database.write() as connection:
            self._end(connection, lease, State.QUEUED, "handed_back", **_UNUSED)

    def let_go(self, lease: Lease) -> None:
        """A worker saw that its video is being deleted and has stopped: nothing of it will be written any more."""
        with self.database.write() as connection:
            connection.execute(update(jobs).where(_cancelled(lease)).values(owner=None))

    def _end(
        self, connection: Connection, lease: Lease, state: State, kind: str, *, detail: str | None = None, **values: Any
    ) -> None:
        over = {"queued_at": now()} if state in OPEN else {"finished_at": now()}
        changed = update(jobs).where(_held(lease)).values(state=state, owner=None, **over, **values)
        if not connection.execute(changed).rowcount:
            raise _lost(lease)
        self.close_spans(connection, lease.video_hash, lease.stage, _SPAN_STATUS.get(kind, "error"))
        if state in OPEN:
            self.open_span(connection, lease.video_hash, lease.stage, "queue", kind="queue")
        facts = {"stage": lease.stage, "attempt": lease.attempt, "fence": lease.fence, "detail": detail}
        self.tell(connection, kind, lease.video_hash, **facts)

    def end_failed(self, connection: Connection, video: Video, stage: str, reason: str, infected: bool = False) -> None:
        """A job failed for good: so does the video, at once or when none of its renditions is open any more."""
        if stage in (PREPROCESSING.name, MASTER):
            self._fail_video(connection, video.video_hash, stage, reason, infected=infected)
        else:
            self._decide(connection, video.video_hash, {})

    def _fail_video(self, connection: Connection, video_hash: str, stage: str, reason: str, **facts: Any) -> None:
        failed = {"status": Status.FAILED, "error_stage": stage, "error_reason": reason, "ended_at": now()}
        change(connection, video_hash, **failed, **facts)
        self.tell(connection, "video_failed", video_hash, stage=stage, detail=reason)


#: An attempt that ended without a fault of its own is not counted.
_UNUSED: dict[str, Any] = {"attempt": jobs.c.attempt - 1}

_SPAN_STATUS = {"done": "ok", "handed_back": "handed_back"}


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(process=lease.owner, stage=lease.stage, video_hash=lease.video_hash)


def _held(lease: Lease) -> ColumnElement[bool]:
    mine = (jobs.c.id == lease.job_id) & (jobs.c.fence == lease.fence) & (jobs.c.owner == lease.owner)
    return mine & (jobs.c.state == State.RUNNING)


def _cancelled(lease: Lease) -> ColumnElement[bool]:
    """Deleting raised the fence once."""
    mine = (jobs.c.id == lease.job_id) & (jobs.c.fence == lease.fence + 1) & (jobs.c.owner == lease.owner)
    return mine & (jobs.c.state == State.CANCELLED)
