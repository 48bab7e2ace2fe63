"""The keeper: relays the outbox, frees the leases of dead workers, sends again what is missing, and tidies up.

It is the only judge. A worker's beat is a counter, and what counts is how many of the keeper's own successful polls
saw no new one: no clock of another machine matters, and a poll that the database did not answer counts for nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import structlog

from vidlab.bus import Bus
from vidlab.errors import DependencyAway, UnknownVideo, VidLabError
from vidlab.jobs import Queues
from vidlab.models import Job, State, Video
from vidlab.observe.kafka import lag
from vidlab.pipeline import upload
from vidlab.profiles import Stage, stages
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.store import Store

log = structlog.get_logger()

BATCH = 500  # outbox messages per round
UNPOSTED_POLLS = 6  # a job that waits for a message in so many polls running, with no lag, is posted again
MISSING_POLLS = 2  # a queued job that stands in no queue in so many polls running is sent again


@dataclass
class Patience:
    """Counts for how many polls running a thing has looked the same."""

    seen: dict[object, tuple[object, int]] = field(default_factory=dict)

    def polls(self, things: Iterable[tuple[object, object]]) -> dict[object, int]:
        """Of (key, look) pairs: for how many polls each key has had this look. Keys that are gone are forgotten."""
        before = self.seen
        self.seen = {}
        for key, look in things:
            last, count = before.get(key, (None, 0))
            self.seen[key] = (look, count + 1 if last == look else 0)
        return {key: count for key, (_, count) in self.seen.items()}


class Keeper:
    """One per lab. Two at once do no harm: what they send twice is refused by the lease."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings, announce=True)
        self.queues = Queues(settings)
        self.bus = Bus(settings)
        self.storage = Storage(settings)
        self._beats = Patience()
        self._missing = Patience()
        self._unposted = Patience()
        self._cancelled = Patience()

    # -- outbox

    def relay(self) -> None:
        """Send what the outbox holds, in its order, and note what Kafka has taken."""
        rows = self.store.unsent(BATCH)
        if not rows:
            return
        arrived = self.bus.publish_all([(row.topic, row.key, row.payload, {}) for row in rows])
        sent = [row for row, took in zip(rows, arrived, strict=True) if took]
        if sent:
            self.store.sent(sent)
        if len(sent) < len(rows):
            raise DependencyAway(name="kafka", why=f"{len(rows) - len(sent)} messages wait in the outbox")

    # -- leases

    def free_leases(self) -> None:
        """Free every lease without a new beat, and send its job to the next worker."""
        try:
            running = {job.id: job for job in self.store.leases()}
        except DependencyAway:
            self._beats = Patience()  # nobody could beat: all polls begin anew
            raise
        polls = self._beats.polls((job.id, (job.fence, job.beat)) for job in running.values())
        for job in running.values():
            if polls[job.id] >= self.settings.beats_missed and self.store.free(job):
                log.warning("lease expired", video_hash=job.video_hash, stage=job.stage, owner=job.owner)
                self._send(job)

    def send_due(self) -> None:
        """Send the jobs whose pause is over."""
        for job in self.store.due():
            self._send(job)

    def send_missing(self) -> None:
        """Send the jobs that are queued in the database, but stand in no queue: Redis lost them, or a worker died."""
        queued = self.store.in_state(State.QUEUED)
        waiting = self.queues.waiting() if queued else set()
        absent = {job.id: job for job in queued if (job.video_hash, job.stage) not in waiting}
        polls = self._missing.polls((job.id, job.fence) for job in absent.values())
        for job in absent.values():
            if polls[job.id] >= MISSING_POLLS - 1:
                self._send(job)

    def post_missing(self) -> None:
        """Post again what waits for a message that Kafka no longer has: its group has read all, and it still waits."""
        topics = {stage.name: stage.topic for stage in self._idle_stages()}
        waiting = self.store.awaiting_message(list(topics))
        polls = self._unposted.polls((job.id, job.fence) for job in waiting)
        lost = {(job.video_hash, topics[job.stage]) for job in waiting if polls[job.id] >= UNPOSTED_POLLS - 1}
        for video_hash, topic in sorted(lost):
            log.warning("posted again", video_hash=video_hash, topic=topic)
            with suppress(UnknownVideo):  # deleted in between
                self.store.post_again(video_hash, topic)

    def _idle_stages(self) -> list[Stage]:
        """The stages whose groups have read all there is."""
        behind = {row.group for row in lag(self.settings) if row.lag}
        return [stage for stage in stages() if stage.group not in behind]

    def _send(self, job: Job) -> None:
        try:
            self.queues.send(job.video_hash, job.stage)
        except DependencyAway as error:
            log.warning("not sent", reason=str(error), video_hash=job.video_hash, stage=job.stage)
            return  # it stays queued in the database, and is found missing later
        self.store.tell_sent_again(job)

    # -- tidying up

    def expire_uploads(self) -> None:
        """End uploads that nobody finished."""
        for video in self.store.expired_uploads(self.settings.upload_expiry_seconds):
            log.info("upload expired", video_hash=video.video_hash)
            with _told(video):
                upload.expire(self.store, self.storage, video)

    def remove_deleted(self) -> None:
        """Remove the blobs and rows of deleted videos on which nobody works any more."""
        gone = self.store.deleting()
        polls = self._cancelled.polls((job.id, (job.fence, job.beat)) for _, held in gone for job in held)
        for video, held in gone:
            live = [job for job in held if polls[job.id] < self.settings.beats_missed]
            if not live:
                with _told(video):
                    self._remove(video)

    def forget_history(self) -> None:
        """Keep sent messages and events as long as somebody may want to look at them."""
        if rows := self.store.forget_history(self.settings.history_seconds):
            log.info("history forgotten", rows=rows)

    def _remove(self, video: Video) -> None:
        upload.discard(self.storage, video)
        self.storage.delete_prefix(f"{video.video_hash}/")
        self.store.remove(video.video_hash)
        log.info("removed", video_hash=video.video_hash)


@contextmanager
def _told(video: Video) -> Iterator[None]:
    """One video's trouble is told, and does not stop a round for those behind it."""
    try:
        yield
    except VidLabError as error:
        log.warning("not tidied up", video_hash=video.video_hash, reason=str(error))


@dataclass(frozen=True)
class Round:
    """Something that the keeper does again and again, in a thread of its own: no server's absence stops the others."""

    name: str
    period: float  # seconds
    do: Callable[[Keeper], None]


ROUNDS = (
    Round("relay", 0.05, Keeper.relay),
    Round("free leases", 1.0, Keeper.free_leases),
    Round("send due", 0.5, Keeper.send_due),
    Round("send missing", 1.0, Keeper.send_missing),
    Round("post missing", 5.0, Keeper.post_missing),
    Round("expire uploads", 10.0, Keeper.expire_uploads),
    Round("remove deleted", 1.0, Keeper.remove_deleted),
    Round("forget history", 3600.0, Keeper.forget_history),
)

ROUND_PAUSE = 1.0  # seconds after a round that met a server that is away


def keep(settings: Settings, stopping: threading.Event) -> None:
    """Go round until told to stop."""
    keeper = Keeper(settings)
    threads = [threading.Thread(target=_go_round, args=(keeper, one, stopping), name=one.name) for one in ROUNDS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _go_round(keeper: Keeper, one: Round, stopping: threading.Event) -> None:
    pause = one.period
    while not stopping.wait(pause):
        pause = one.period
        try:
            one.do(keeper)
        except VidLabError as error:
            log.warning("round failed", round=one.name, reason=str(error))
            pause = max(one.period, ROUND_PAUSE)
        except Exception:  # a round that ended for good would be a keeper that only looks alive
            log.exception("round failed", round=one.name)
            pause = max(one.period, ROUND_PAUSE)
