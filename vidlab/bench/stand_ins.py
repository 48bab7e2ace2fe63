"""Stages without scanner and encoder: what is left of a job is what the control plane costs.

They take the same leases, tell the same spans, and store as many blobs as the real ones do of a video of one segment;
without storage they store none. Each worker adds up how long it spent in the database and in storage.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from vidlab import paths
from vidlab.hls import Segment, Stream
from vidlab.models import Lease
from vidlab.pipeline.complete import complete, master_playlist
from vidlab.pipeline.work import Attempt, Step, Workshop
from vidlab.profiles import MASTER, PREPROCESSING, Size, profile_named
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.store import Store
from vidlab.store.engine import Database

SOURCE = Size(1920, 1080)  # so that all profiles apply
PIECE = b"\x47" * 2048  # what stands for a segment, a picture or a source
STREAM = Stream(
    width=256,
    height=144,
    frame_rate="30/1",
    codecs="avc1.64000c",
    bandwidth=200_000,
    average_bandwidth=200_000,
    duration=4.0,
    bytes=len(PIECE),
    target_duration=4,
    segments=(Segment(name="00000.ts", duration=4.0, bytes=len(PIECE)),),
)
FACTS: dict[str, Any] = {
    **{"width": SOURCE.width, "height": SOURCE.height, "duration": 4.0, "frame_rate": 30.0, "codec": "h264"},
    **{"actual_mime_type": "video/mp4", "normalised": "stand-in", "sha256": "0" * 64, "media": {}},
}


# -- what took how long


@dataclass
class Tally:
    """Calls and seconds by what they were spent on, in a file that the bench reads."""

    file: Path
    calls: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def counted(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.calls[name] = self.calls.get(name, 0) + 1
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began

    def write(self) -> None:
        draft = self.file.with_suffix(".draft")
        draft.write_text(json.dumps({"calls": self.calls, "seconds": self.seconds}))
        draft.replace(self.file)


class CountedDatabase(Database):
    """A database that counts its transactions, with the wait for their turn."""

    def __init__(self, settings: Settings, tally: Tally) -> None:
        super().__init__(settings)
        self.tally = tally

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self.tally.counted("sql write"), super().write() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self.tally.counted("sql read"), super().read() as connection:
            yield connection


class CountedStorage(Storage):
    """Storage that counts its calls."""

    def __init__(self, settings: Settings, tally: Tally) -> None:
        super().__init__(settings)
        self.tally = tally

    @contextmanager
    def told(self, path: str = "") -> Iterator[None]:
        with self.tally.counted("blob call"), super().told(path):
            yield


class CountedShop(Workshop):
    """A worker's workshop that counts."""

    @cached_property
    def tally(self) -> Tally:
        return Tally(self.settings.state / "run" / f"{self.settings.process}.tally")

    @cached_property
    def store(self) -> Store:
        store = Store(self.settings)
        store.database = CountedDatabase(self.settings, self.tally)
        return store

    @cached_property
    def storage(self) -> Storage:
        return CountedStorage(self.settings, self.tally)


# -- the stages


def stand_ins(shop: CountedShop, with_storage: bool) -> Callable[[str], Step]:
    """Which stand-in does which job."""
    steps: dict[str, Step] = {
        PREPROCESSING.name: lambda attempt: _preprocess(attempt, with_storage),
        MASTER: complete if with_storage else _complete,
    }

    def step_for(job: str) -> Step:
        def counted(attempt: Attempt) -> Lease | None:
            with shop.tally.counted("job"):
                following = steps[job](attempt) if job in steps else _transcode(attempt, with_storage)
            shop.tally.write()
            return following

        return counted

    return step_for


def _preprocess(attempt: Attempt, with_storage: bool) -> Lease | None:
    video, etag = attempt.video, "none"
    with attempt.span("scan"):
        if with_storage:
            path = paths.original_path(video.video_hash, video.extension)
            with attempt.storage.reader(path, etag=video.original_etag) as blob:
                blob.read()
    with attempt.span("probe"):
        pass
    with attempt.span("normalise"):
        source = _piece(attempt, "source.mp4")
    with attempt.span("upload"):
        if with_storage:
            etag = attempt.store_file(paths.source_path(video.video_hash), source).etag
    attempt.store.finish_preprocessing(attempt.lease, FACTS | {"source_etag": etag}, SOURCE)
    return None


def _transcode(attempt: Attempt, with_storage: bool) -> Lease | None:
    profile, video = profile_named(attempt.lease.stage), attempt.video
    with attempt.span("download"):
        if with_storage:
            path, target = paths.source_path(video.video_hash), attempt.file("source.mp4")
            attempt.storage.download(path, target, etag=video.source_etag, check=attempt.check)
    with attempt.span("encode"):
        made = _piece(attempt, "piece")
    prefix = paths.rendition_prefix(video.video_hash, profile.name)
    thumbnail = paths.thumbnail_path(video.video_hash)
    with attempt.span("upload"):
        if with_storage:
            for path in (f"{prefix}00000.ts", f"{prefix}playlist.m3u8") if profile.height else (thumbnail,):
                attempt.store_file(path, made)
    if profile.height:
        return attempt.store.finish_rendition(attempt.lease, STREAM.as_json())
    return attempt.store.finish_rendition(attempt.lease, {"bytes": len(PIECE)}, thumbnail_url=thumbnail)


def _complete(attempt: Attempt) -> Lease | None:
    video_hash = attempt.lease.video_hash
    master_playlist(attempt.store.jobs(video_hash))
    attempt.store.finish_master(attempt.lease, paths.media_path(paths.master_path(video_hash)))
    return None


def _piece(attempt: Attempt, name: str) -> Path:
    file = attempt.file(name)
    file.write_bytes(PIECE)
    return file
