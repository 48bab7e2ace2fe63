"""What a running lab knows and holds at one moment: the rows, the blobs, Kafka, Redis, the disk, the process table.

It is only gathered here, and judged in `vidlab.lab.check`. Work goes on meanwhile, so that the order matters. What
could be left over is looked at before the database and again after it, and only what stayed the same counts. What a
video must have is looked for after its row. A video that is deleted meanwhile is left out.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import httpx
import psutil

from vidlab import hls
from vidlab.errors import VidLabError
from vidlab.jobs import Queues, Task
from vidlab.lab.runner import Runner
from vidlab.lab.scratch import Scratch
from vidlab.lab.sweep import leftovers
from vidlab.models import Status, Video
from vidlab.observe.kafka import PartitionLag, lag
from vidlab.paths import video_prefix
from vidlab.playback import Fetch, check_playback, from_web
from vidlab.settings import Settings
from vidlab.storage import Blob, Storage
from vidlab.store import Store
from vidlab.store.snapshot import Snapshot

FETCH = 30.0  # seconds for one file
PLAYERS = 2  # videos that are fetched and decoded at once
CATCH_UP = 10.0  # seconds a group has to read what is left when nothing is open; a rebalance takes 6
LOOK = 0.5  # seconds between two looks


@dataclass(frozen=True, kw_only=True)
class Viewing:
    """What a player made of a completed video."""

    #: What the master playlist lists, as it says it; None when it cannot be read.
    listed: tuple[str, ...] | None
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Stray:
    """A process of this lab that belongs to nobody in it."""

    pid: int
    #: When it began, seconds since the epoch: a pid alone may be another process's soon.
    began: float
    command: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that a verdict is made from, beside the history."""

    #: When the rows were read, by this machine's clock.
    at: datetime
    #: The videos that it is limited to; None: all that there are.
    only: frozenset[str] | None = None
    #: Videos that were deleted while the evidence was gathered: nothing is said of them, and nothing demanded.
    gone: frozenset[str] = frozenset()
    rows: Snapshot
    blobs: tuple[Blob, ...] = ()
    #: Path -> blocks that are staged and not committed.
    staged: Mapping[str, int] = field(default_factory=dict)
    #: By video_hash, of completed videos; those that nobody was asked to play are not in it.
    viewings: Mapping[str, Viewing] = field(default_factory=dict)
    #: Partitions on which a group is behind.
    lag: tuple[PartitionLag, ...] = ()
    tasks: tuple[Task, ...] = ()
    scratch: tuple[Scratch, ...] = ()
    strays: tuple[Stray, ...] = ()


def collect(lab: Runner, only: Collection[str] | None = None, *, play: bool = True) -> Evidence:
    """Look at everything, or at these videos alone. Without `play` no segment is fetched and decoded.

    Raises LabNotRunning, and DependencyAway when a server does not answer: then there is no verdict.
    """
    settings = lab.settings()
    with _opened(settings) as (store, storage):
        scratch, strays = lab.scratch(), strays_of(lab)
        blobs, staged = _blobs(storage, only), _staged(storage, only)
        at, rows = datetime.now(UTC), store.snapshot(only)
        found = Evidence(
            at=at,
            only=None if only is None else frozenset(only),
            rows=rows,
            blobs=tuple(_blobs_of(storage, blobs, rows, only)),
            staged=_still_staged(storage, staged, rows),
            viewings=_viewings(rows, settings) if play else {},
            lag=tuple(_lag(settings, rows)),
            tasks=tuple(Queues(settings).tasks()),
            strays=tuple(one for one in strays_of(lab) if one in strays),
            scratch=tuple(one for one in lab.scratch() if one in scratch) if scratch else (),
        )
        return _without(found, _deleted_since(store, rows))


@contextlib.contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Store, Storage]]:
    with contextlib.closing(Store(settings)) as store, contextlib.closing(Storage(settings)) as storage:
        yield store, storage


# -- storage


def _prefixes(only: Collection[str] | None) -> list[str]:
    return [""] if only is None else [video_prefix(video_hash) for video_hash in sorted(only)]


def _blobs(storage: Storage, only: Collection[str] | None) -> list[Blob]:
    return [blob for prefix in _prefixes(only) for blob in storage.list_blobs(prefix)]


def _staged(storage: Storage, only: Collection[str] | None) -> dict[str, int]:
    return {path: count for prefix in _prefixes(only) for path, count in storage.uncommitted(prefix).items()}


def owner_of(path: str) -> str:
    """The video whose folder a blob lies in."""
    return path.partition("/")[0]


def _blobs_of(storage: Storage, before: list[Blob], rows: Snapshot, only: Collection[str] | None) -> Iterator[Blob]:
    """What the videos have now, and what was left over before: a deleted video's blobs go before its row does."""
    known = {video.video_hash for video in rows.videos}
    yield from (blob for blob in _blobs(storage, only) if owner_of(blob.path) in known)
    yield from (blob for blob in before if owner_of(blob.path) not in known and storage.head(blob.path))


def _still_staged(storage: Storage, staged: dict[str, int], rows: Snapshot) -> dict[str, int]:
    """Whoever stages for an attempt commits soon; an upload may take its time, and is judged by its row."""
    uploading = {video.video_hash for video in rows.videos if video.status == Status.UPLOADING}
    running = {job.video_hash for job in rows.jobs if job.owner}
    idle = {path: count for path, count in staged.items() if owner_of(path) not in uploading | running}
    again = {path: storage.uncommitted(path).get(path) for path in idle}
    return {path: count for path, count in idle.items() if again[path] == count}


# -- videos that went meanwhile


def _deleted_since(store: Store, rows: Snapshot) -> set[str]:
    last = max((event.id for event in rows.events), default=None)
    if last is None:
        return set()
    return {event.video_hash for event in store.events(after=last) if event.kind == "deleting"}


def _without(evidence: Evidence, gone: set[str]) -> Evidence:
    """Nothing that is said of these videos."""
    if not gone:
        return evidence
    rows = evidence.rows
    kept = Snapshot(
        videos=tuple(one for one in rows.videos if one.video_hash not in gone),
        jobs=tuple(one for one in rows.jobs if one.video_hash not in gone),
        events=tuple(one for one in rows.events if one.video_hash not in gone),
        outbox=tuple(one for one in rows.outbox if one.key not in gone),
        spans=tuple(one for one in rows.spans if one.video_hash not in gone),
    )
    blobs = tuple(blob for blob in evidence.blobs if owner_of(blob.path) not in gone)
    return replace(evidence, rows=kept, blobs=blobs, gone=frozenset(gone))


# -- playing


def _viewings(rows: Snapshot, settings: Settings) -> dict[str, Viewing]:
    completed = [video for video in rows.videos if video.status == Status.COMPLETED]
    with httpx.Client(base_url=settings.api_here, timeout=FETCH, trust_env=False) as http, _pool() as pool:
        fetch = from_web(http)
        seen = pool.map(lambda video: _view(fetch, video, settings), completed)
        return {video.video_hash: viewing for video, viewing in zip(completed, seen, strict=True)}


def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(PLAYERS, thread_name_prefix="player")


def _view(fetch: Fetch, video: Video, settings: Settings) -> Viewing:
    """What its viewers get: as the API serves it."""
    path = video.hls_master_path or ""
    return Viewing(listed=_listed(fetch, path), problems=check_playback(fetch, path, settings).problems)


def _listed(fetch: Fetch, path: str) -> tuple[str, ...] | None:
    with contextlib.suppress(OSError, httpx.HTTPError, VidLabError, ValueError):
        return tuple(variant.uri for variant in hls.parse(fetch(path).decode()).playlists)
    return None


# -- Kafka


def _lag(settings: Settings, rows: Snapshot) -> list[PartitionLag]:
    """Who is behind. When nothing is open, what is left to read changes nothing, and is read soon."""
    deadline = time.monotonic() + (0 if _open(rows) else CATCH_UP)
    while True:
        behind = [row for row in lag(settings) if row.lag]
        if not behind or time.monotonic() > deadline:
            return behind
        time.sleep(LOOK)


def _open(rows: Snapshot) -> bool:
    return any(video.status in (Status.PREPROCESSING, Status.PROCESSING) for video in rows.videos)


# -- processes


def strays_of(lab: Runner) -> list[Stray]:
    """Processes that carry the lab's mark, and that nobody in it has started or still looks after."""
    running = lab.folder.read_lab()
    if running is None:
        return []
    kept = {running.pid, *(one.pid for one in lab.status().processes if one.pid), *_children(running.pid)}
    found = [process for process in leftovers(lab.folder.lab_id) if _session(process.pid) not in kept]
    return [stray for process in found if (stray := _stray(process))]


def _children(pid: int) -> list[int]:
    """The supervisor's own: the nursery is in no list of processes."""
    with contextlib.suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children()]
    return []


def _session(pid: int) -> int:
    """Each process of a lab leads a session of its own, in which all that it starts stays."""
    with contextlib.suppress(OSError):
        return os.getsid(pid)
    return -1


def _stray(process: psutil.Process) -> Stray | None:
    with contextlib.suppress(psutil.Error):
        if process.status() != psutil.STATUS_ZOMBIE:
            command = " ".join(process.cmdline()) or process.name()
            return Stray(pid=process.pid, began=process.create_time(), command=command)
    return None
