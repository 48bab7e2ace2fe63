"""How many videos a second the control plane carries: outbox, Kafka, consumers, Celery, leases, fan-in; no encoder.

Videos are finalized as fast as one process can, and the clock runs until the last one is completed. Where the
processors' time went is told by the operating system, per kind of process; what a worker waited for, by itself.
"""

from __future__ import annotations

import io
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from vidlab.bench.lab import BenchLab
from vidlab.bench.stand_ins import PIECE
from vidlab.bench.usage import processor_seconds
from vidlab.lab.local import LocalLab
from vidlab.models import Status, Video
from vidlab.pipeline.upload import Chunk, Uploads
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.store import Store
from vidlab.trace import hops

POLL = 0.25  # seconds
STALL = 120.0  # seconds without a video that was completed: then something is broken
SAMPLE = 100  # videos whose spans are looked at
QUIET = 3.0  # seconds after the lab is up, in which what its start left to do is done


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Medians over a sample of a run's videos, in seconds."""

    name: str
    waited: float
    worked: float


@dataclass(frozen=True, kw_only=True)
class Run:
    """So many videos at once."""

    #: "stubbed" or "azurite".
    storage: str
    videos: int
    #: From the first finalize to the last completed.
    seconds: float
    #: Until the last one was finalized.
    finalizing: float
    #: Kind of process -> seconds of processor time.
    processors: dict[str, float]
    #: What the workers did -> seconds, waits included; and "... calls" -> how often.
    spent: dict[str, float]
    stages: tuple[Stage, ...]

    @property
    def rate(self) -> float:
        """Videos a second."""
        return self.videos / self.seconds


def bench_control(
    folder: Path, storages: Iterable[str], sizes: Iterable[int], on_run: Callable[[Run], None]
) -> list[Run]:
    """A lab of its own for each storage; in it, the runs in turn. Raises RuntimeError when videos fail or stall."""
    runs = []
    for storage in storages:
        lab = BenchLab(folder, storage)
        lab.reset()
        with lab:
            time.sleep(QUIET)
            for size in sizes:
                runs.append(_run(lab, storage, size))
                on_run(runs[-1])
        lab.reset()
    return runs


def _run(lab: LocalLab, storage: str, size: int) -> Run:
    settings = lab.settings()
    with closing(Store(settings)) as store, closing(Storage(settings)) as blobs:
        finalize = _by_uploads(Uploads(settings, store, blobs), size) if storage == "azurite" else _by_rows(store, size)
        before = processor_seconds(lab), _spent(settings)
        began = time.monotonic()
        made = [one() for one in finalize]
        finalized = time.monotonic()
        _wait(store, made)
        seconds = time.monotonic() - began
        return Run(
            storage=storage,
            videos=size,
            seconds=seconds,
            finalizing=finalized - began,
            processors=_since(before[0], processor_seconds(lab)),
            spent=_since(before[1], _spent(settings)),
            stages=_stages(store, made),
        )


# -- what comes in


def _by_rows(store: Store, size: int) -> list[Callable[[], Video]]:
    """Videos without blobs."""

    def finalize(video_hash: str) -> Callable[[], Video]:
        return lambda: store.finalize(video_hash, source_etag="none", bytes=len(PIECE))

    def create(number: int) -> Video:
        names = {"filename": f"{number}.mp4", "extension": "mp4", "title": f"{number}"}
        return store.create_upload(total_chunks=1, idempotency_key=None, **names)

    return [finalize(create(number).video_hash) for number in range(size)]


def _by_uploads(uploads: Uploads, size: int) -> list[Callable[[], Video]]:
    """Videos whose only chunk is staged, by the API's own code."""

    def finalize(video_hash: str) -> Callable[[], Video]:
        return lambda: uploads.finalize(video_hash)

    def receive(number: int) -> Video:
        chunk = Chunk(
            number=0,
            total=1,
            stream=io.BytesIO(PIECE),
            bytes=len(PIECE),
            filename=f"{number}.mp4",
            title="",
            video_hash=None,
            idempotency_key=None,
            sha256=None,
        )
        return uploads.receive(chunk).video

    return [finalize(receive(number).video_hash) for number in range(size)]


def _wait(store: Store, made: list[Video]) -> None:
    """Until all are completed."""
    before, moved = -1, time.monotonic()
    while True:
        counts = store.counts().videos_by_status
        if counts.get(Status.FAILED):
            failed = store.videos(status=Status.FAILED, limit=1)[0]
            raise RuntimeError(f"a video failed at {failed.error_stage}: {failed.error_reason}")
        left = sum(counts.get(status, 0) for status in Status) - counts.get(Status.COMPLETED, 0)
        if not left:
            return
        if left != before:
            before, moved = left, time.monotonic()
        if time.monotonic() - moved > STALL:
            raise RuntimeError(f"{left} of {len(made)} videos have not moved for {STALL:.0f} s")
        time.sleep(POLL)


# -- where the time went


def _spent(settings: Settings) -> dict[str, float]:
    """What the tallies of all workers say until now."""
    spent: dict[str, float] = defaultdict(float)
    for file in (settings.state / "run").glob("*.tally"):
        tally = json.loads(file.read_text())
        for name, seconds in tally["seconds"].items():
            spent[name] += seconds
            spent[f"{name} calls"] += tally["calls"][name]
    return dict(spent)


def _since(before: dict[str, float], now: dict[str, float]) -> dict[str, float]:
    return {name: value - before.get(name, 0.0) for name, value in now.items()}


def _stages(store: Store, made: list[Video]) -> tuple[Stage, ...]:
    """What the videos of a sample waited for, and were worked on."""
    step = max(1, len(made) // SAMPLE)
    waited: dict[str, list[float]] = {}
    worked: dict[str, list[float]] = {}
    for video in made[::step]:
        for hop in hops(store.spans(video.video_hash)):
            waited.setdefault(hop.stage, []).append(hop.waited)
            worked.setdefault(hop.stage, []).append(hop.worked)
    return tuple(Stage(name=name, waited=median(waited[name]), worked=median(worked[name])) for name in waited)
