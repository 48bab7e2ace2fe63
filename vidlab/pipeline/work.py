"""What every job has in common: a lease that beats, a scratch folder, a span, and an end that is always told.

This is the task boundary. Whatever happens inside, the job ends in the database as done, waiting, failed or handed
back; and if the process dies, its beats stop and the keeper frees the lease.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar, cast

import structlog

from vidlab.errors import (
    DependencyAway,
    FFmpegFailed,
    HandedBack,
    Infected,
    LeaseLost,
    PermanentError,
    TooDemanding,
    UnknownVideo,
    VidLabError,
)
from vidlab.ffmpeg import Progress
from vidlab.models import Lease, Video
from vidlab.paths import kind_of, video_prefix
from vidlab.pipeline.scratch import FULL, check_room, disk_is_full
from vidlab.pipeline.timeline import Timeline
from vidlab.settings import Settings
from vidlab.storage import Blob, Storage
from vidlab.store import Store

log = structlog.get_logger()

REASON_LENGTH = 2000  # characters
DATABASE_PAUSE = 0.5  # seconds between tries while the database is away

T = TypeVar("T")

#: What a stage's module offers: do the work; give the lease of the job that follows at once, if there is one.
Step = Callable[["Attempt"], Lease | None]


class Workshop:
    """What one worker process works with; connections are made on first use, after the fork."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        #: Set when the lab goes down: the job in hand is handed back.
        self.going_down = threading.Event()

    @cached_property
    def store(self) -> Store:
        return Store(self.settings, announce=True)

    @cached_property
    def storage(self) -> Storage:
        return Storage(self.settings)

    def patiently(self, ask: Callable[[], T]) -> T:
        """Ask the database; while it is away wait, up to the limit. Raises DependencyAway after that."""
        deadline = time.monotonic() + self.settings.patience_seconds
        while True:
            try:
                return ask()
            except DependencyAway as error:
                if error.facts["name"] != "database" or time.monotonic() > deadline or self.going_down.is_set():
                    raise
                log.warning("waiting", reason=str(error))
                self.going_down.wait(DATABASE_PAUSE)


class Attempt:
    """One worker's try at one job: a context manager that beats, and cleans its scratch folder."""

    def __init__(self, shop: Workshop, lease: Lease) -> None:
        self.shop = shop
        self.lease = lease
        self.settings = shop.settings
        self.store = shop.store
        self.storage = shop.storage
        self.scratch = shop.settings.scratch
        self.progress = Progress(fraction=0.0, speed=None)
        #: When something last went well: what came after is the time that a server was away.
        self.went_well = time.monotonic()
        self._lost = threading.Event()
        self._over = threading.Event()
        self._no_room: VidLabError | None = None
        self._timeline = Timeline(shop.store, lease)
        self._beats = threading.Thread(target=self._beat, name="beats", daemon=True)

    @cached_property
    def video(self) -> Video:
        return self.shop.patiently(lambda: self.store.video(self.lease.video_hash))

    def __enter__(self) -> Self:
        # A process works on one job at a time: what lies here was left by a crash.
        shutil.rmtree(self.scratch, ignore_errors=True)
        check_room(self.settings)
        self.scratch.mkdir(parents=True)
        self._beats.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._beats.join()
        shutil.rmtree(self.scratch, ignore_errors=True)
        try:
            self.shop.patiently(self._timeline.tell)
        except DependencyAway as reason:  # how it ended is told all the same
            log.warning("timeline not told", reason=str(reason))

    def _beat(self) -> None:
        while not self._over.wait(self.settings.beat_seconds):
            self._look_for_room()
            try:
                if not self.store.beat(self.lease, self.progress.fraction, self.progress.speed):
                    self._lost.set()
                self._timeline.tell()
            except Exception as error:  # who cannot beat goes on, whatever it is: the end is conditional on the lease
                log.warning("no beat", reason=str(error), kind=type(error).__name__)

    def _look_for_room(self) -> None:
        try:
            check_room(self.settings)
        except (DependencyAway, TooDemanding) as error:
            self._no_room = error

    def report(self, progress: Progress) -> None:
        """Remember how far the work is; the next beat tells it."""
        self.progress = progress
        self.went_well = time.monotonic()

    def stopping(self) -> VidLabError | None:
        """Why to stop now, if there is a reason: FFmpeg's runner asks several times a second."""
        lease = self.lease
        if self._lost.is_set():
            return LeaseLost(process=lease.owner, stage=lease.stage, video_hash=lease.video_hash)
        if self.shop.going_down.is_set():
            return HandedBack(stage=lease.stage, video_hash=lease.video_hash)
        return self._no_room

    def check(self) -> None:
        """Raises what `stopping` gives."""
        if reason := self.stopping():
            raise reason

    def file(self, name: str) -> Path:
        """A path in the scratch folder."""
        return self.scratch / name

    def store_file(self, path: str, file: Path) -> Blob:
        """Write an output with this attempt's fence. Raises FencedOff, DependencyAway, and what `stopping` gives.

        What took long to make is not thrown away because storage is away for a while: the lease beats on meanwhile.
        """
        while True:
            try:
                return self._store_once(path, file)
            except DependencyAway as error:
                if time.monotonic() - self.went_well > self.settings.patience_seconds:
                    raise
                log.warning("waiting", reason=str(error), path=path)
                self.shop.going_down.wait(self.settings.retry_seconds)

    def _store_once(self, path: str, file: Path) -> Blob:
        self.check()
        with file.open("rb") as opened:
            stream = cast(BinaryIO, Watched(self, opened))
            blob = self.storage.put_fenced(path, stream, fence=self.lease.fence, content_type=kind_of(path).mime_type)
        self.went_well = time.monotonic()
        return blob

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """A stretch of this attempt that the timeline shows by itself."""
        self.check()
        with self._timeline.span(name):
            yield
        self.went_well = time.monotonic()


def work(shop: Workshop, video_hash: str, job: str, steps: Callable[[str], Step]) -> None:
    """Do a job if its lease is to be had, and then the one that follows from it."""
    if shop.going_down.is_set():
        return  # it stays queued in the database, and the keeper sends it when the lab is up again
    with structlog.contextvars.bound_contextvars(video_hash=video_hash, stage=job):
        lease = shop.patiently(lambda: shop.store.claim(video_hash, job))
        if lease is None:
            log.info("lease refused")
    while lease is not None:
        with structlog.contextvars.bound_contextvars(
            video_hash=video_hash, stage=lease.stage, attempt=lease.attempt, fence=lease.fence
        ):
            lease = _attempt(shop, lease, steps(lease.stage))


def _attempt(shop: Workshop, lease: Lease, step: Step) -> Lease | None:
    began = time.monotonic()
    log.info("began")
    attempt = Attempt(shop, lease)
    try:
        with attempt:
            following = step(attempt)
    except Exception as error:  # the task boundary: every end is told to the database
        error = _true_reason(error, shop.settings)
        log.warning("ended early", reason=str(error), kind=type(error).__name__)
        _tell(shop, lease, error, time.monotonic() - attempt.went_well)
        return None
    log.info("done", seconds=round(time.monotonic() - began, 3))
    return following


def _true_reason(error: Exception, settings: Settings) -> Exception:
    """A disk that is full shows itself in many ways; whatever it spoilt is not the work's own fault."""
    if isinstance(error, OSError) and error.errno in FULL:
        return disk_is_full()
    if not isinstance(error, FFmpegFailed):
        return error
    try:
        check_room(settings)
    except (DependencyAway, TooDemanding) as reason:
        return reason
    return error


def _tell(shop: Workshop, lease: Lease, error: Exception, seconds: float) -> None:
    try:
        shop.patiently(lambda: _tell_once(shop, lease, error, seconds))
    except (LeaseLost, UnknownVideo):
        log.info("nothing to tell: the job is somebody else's, or gone")


def _tell_once(shop: Workshop, lease: Lease, error: Exception, seconds: float) -> None:
    store = shop.store
    reason = _plain(str(error))
    match error:
        case LeaseLost() | UnknownVideo():
            store.let_go(lease)
            if not store.jobs(lease.video_hash):  # deleted and removed: what was written after that is nobody's
                shop.storage.delete_prefix(video_prefix(lease.video_hash))
        case HandedBack():
            store.hand_back(lease)
        case DependencyAway():
            store.away(lease, reason, seconds)
        case PermanentError():
            store.fail(lease, reason, permanent=True, infected=isinstance(error, Infected))
        case VidLabError():
            store.fail(lease, reason, permanent=False)
        case _:
            log.exception("unforeseen", exc_info=error)
            store.fail(lease, f"{type(error).__name__}: {reason}", permanent=False)


def _plain(text: str) -> str:
    """A reason that every database takes: what a file made ffmpeg say may hold anything."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:REASON_LENGTH]


class Watched:
    """A file on its way to storage; each read asks first whether to stop."""

    def __init__(self, attempt: Attempt, file: BinaryIO) -> None:
        self.attempt = attempt
        self.file = file

    def read(self, size: int = -1) -> bytes:
        self.attempt.check()
        return self.file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()
