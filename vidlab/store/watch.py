"""What the keeper asks and does: messages to send, leases to free, jobs to send again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, delete, select, update

from vidlab.models import Job, OutboxRow, State, events, jobs, outbox, spans
from vidlab.profiles import PREPROCESSING, Topic
from vidlab.store.clock import now
from vidlab.store.leases import Leases
from vidlab.store.rows import locked, post, to_job


class Watch(Leases):
    """The keeper's side of the database. Its clock is the only one that decides anything."""

    # -- outbox

    def unsent(self, limit: int) -> list[OutboxRow]:
        """Messages to be sent, in the order in which they were written."""
        columns = (outbox.c.id, outbox.c.topic, outbox.c.key, outbox.c.payload)
        query = select(*columns).where(outbox.c.sent_at.is_(None)).order_by(outbox.c.id).limit(limit)
        with self.database.read() as connection:
            return [OutboxRow(**row) for row in connection.execute(query).mappings()]

    def sent(self, rows: Sequence[OutboxRow]) -> None:
        """Kafka has these."""
        with self.database.write() as connection:
            ids = [row.id for row in rows]
            connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(sent_at=now()))
            for row in rows:
                self.tell(connection, "published", row.key, detail=row.topic)

    def last_sent(self, video_hash: str | None = None) -> OutboxRow | None:
        """The newest message that Kafka has, of all or of one video."""
        columns = (outbox.c.id, outbox.c.topic, outbox.c.key, outbox.c.payload)
        query = select(*columns).where(outbox.c.sent_at.is_not(None)).order_by(outbox.c.id.desc()).limit(1)
        query = query.where(outbox.c.key == video_hash) if video_hash else query
        with self.database.read() as connection:
            row = connection.execute(query).mappings().first()
            return OutboxRow(**row) if row else None

    # -- leases and queues

    def in_state(self, state: State) -> list[Job]:
        """All jobs in that state."""
        with self.database.read() as connection:
            query = select(jobs).where(jobs.c.state == state).order_by(jobs.c.id)
            return [to_job(row) for row in connection.execute(query).mappings()]

    def leases(self) -> list[Job]:
        """All jobs with a lease, asked in a transaction that could write: while beats cannot be written, in WAL mode
        they can still be read, and such a poll must not count."""
        with self.database.write() as connection:
            query = select(jobs).where(jobs.c.state == State.RUNNING).order_by(jobs.c.id)
            return [to_job(row) for row in connection.execute(query).mappings()]

    def free(self, job: Job) -> bool:
        """Take the lease of a worker that no longer beats. False when it beat after all, or has ended."""
        unchanged = (jobs.c.id == job.id) & (jobs.c.fence == job.fence) & (jobs.c.beat == job.beat)
        lost = job.lost + 1
        reason = f"{lost} workers were lost under it, the last was {job.owner}"
        failed = lost >= self.settings.max_lost
        values = {"state": State.FAILED, "error": reason} if failed else {"state": State.QUEUED, "queued_at": now()}
        with self.database.write() as connection:
            video = locked(connection, job.video_hash)
            freed = update(jobs).where(unchanged, jobs.c.state == State.RUNNING)
            if not connection.execute(freed.values(owner=None, lost=lost, **values)).rowcount:
                return False
            self.close_spans(connection, job.video_hash, job.stage, "lost")
            facts = {"stage": job.stage, "attempt": job.attempt, "fence": job.fence, "detail": job.owner}
            self.tell(connection, "lease_expired", job.video_hash, **facts)
            if failed:
                self.end_failed(connection, video, job.stage, reason)
            else:
                self.open_span(connection, job.video_hash, job.stage, "queue", kind="queue")
            return True

    def due(self) -> list[Job]:
        """Jobs whose pause is over; they are queued now, and to be sent."""
        self._give_times()
        with self.database.write() as connection:
            over = (jobs.c.state == State.WAITING) & (jobs.c.retry_at <= now())
            queued = update(jobs).where(over).values(state=State.QUEUED, retry_at=None)
            due = [to_job(row) for row in connection.execute(queued.returning(*jobs.c)).mappings()]
            for job in due:
                self.tell(connection, "queued", job.video_hash, stage=job.stage, detail="its pause is over")
            return due

    def awaiting_message(self, stages: Sequence[str]) -> list[Job]:
        """Jobs of these stages that only a message sets going, of those whose messages are all sent."""
        fresh = (jobs.c.state == State.WAITING) & jobs.c.retry_at.is_(None) & jobs.c.retry_delay.is_(None)
        unsent = select(outbox.c.id).where(outbox.c.key == jobs.c.video_hash, outbox.c.sent_at.is_(None))
        query = select(jobs).where(fresh, jobs.c.stage.in_(stages), ~unsent.exists()).order_by(jobs.c.id)
        with self.database.read() as connection:
            return [to_job(row) for row in connection.execute(query).mappings()]

    def post_again(self, video_hash: str, topic: str) -> None:
        """Put a video's message into the outbox once more; for whoever had it already it changes nothing."""
        with self.database.write() as connection:
            video = locked(connection, video_hash)
            etag = video.original_etag if topic == Topic.PREPROCESSING else video.source_etag
            post(connection, topic, video_hash, etag or "", self._sender(connection, video_hash))
            self.tell(connection, "posted_again", video_hash, detail=topic)

    def _sender(self, connection: Connection, video_hash: str) -> str:
        """The span that the video's last message came from: its wait for preprocessing, or the attempt at it."""
        of_stage = (spans.c.video_hash == video_hash) & (spans.c.stage == PREPROCESSING.name)
        query = select(spans.c.span_id).where(of_stage, spans.c.parent_id.is_(None))
        return str(connection.execute(query.order_by(spans.c.started_at.desc()).limit(1)).scalar_one())

    def _give_times(self) -> None:
        """Turn the delays that workers asked for into times of this clock."""
        asked = select(jobs.c.id, jobs.c.retry_delay).where(
            jobs.c.state == State.WAITING, jobs.c.retry_delay.is_not(None)
        )
        with self.database.read() as connection:
            rows = connection.execute(asked).all()
        if not rows:
            return
        with self.database.write() as connection:
            for job_id, delay in rows:
                mine = (jobs.c.id == job_id) & jobs.c.retry_delay.is_not(None)
                at = now() + timedelta(seconds=delay)
                connection.execute(update(jobs).where(mine).values(retry_at=at, retry_delay=None))

    def tell_sent_again(self, job: Job) -> None:
        """Note that the keeper put a job into its queue."""
        with self.database.write() as connection:
            self.tell(connection, "sent_again", job.video_hash, stage=job.stage, fence=job.fence)

    # -- tidying up

    def forget_history(self, seconds: float) -> int:
        """Remove what is only history and older than that: sent messages and events. Gives how many rows."""
        old = now() - timedelta(seconds=seconds)
        with self.database.write() as connection:
            past = (delete(outbox).where(outbox.c.sent_at < old), delete(events).where(events.c.at < old))
            return sum(connection.execute(one).rowcount for one in past)
