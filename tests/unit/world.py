"""A lab's evidence about one video that went well, and ways to spoil it: for tests of the checker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.unit.rows import a_job, a_video
from vidlab import paths
from vidlab.jobs import Task
from vidlab.lab.case import Terms
from vidlab.lab.check import check
from vidlab.lab.evidence import Evidence, Stray, Viewing
from vidlab.lab.history import COMPLETED, End, History, Kind, Line
from vidlab.lab.scratch import Scratch
from vidlab.lab.verdict import Verdict
from vidlab.models import Event, Job, Span, State, Status, Video
from vidlab.observe.kafka import PartitionLag
from vidlab.storage import Blob
from vidlab.store.snapshot import Posted, Snapshot

HASH = "ab" * 16
BEGAN = datetime.fromisoformat("2026-01-02T03:04:05+00:00")
SHA = "5e" * 32
WORKER = "worker-144p.1"

SKIPPED = ("360p", "480p", "720p", "1080p")

#: What is told of a small video that goes well: kind, stage, process, fence. An event's id is its place, from 1.
STORY: tuple[tuple[str, str | None, str, int | None], ...] = (
    ("uploading", "upload", "api", None),
    ("finalized", "upload", "api", None),
    ("published", None, "keeper", None),
    ("queued", "preprocessing", "consumer-preprocessing.1", None),
    ("claimed", "preprocessing", "worker-preprocessing.1", 1),
    ("done", "preprocessing", "worker-preprocessing.1", 1),
    ("queued", "144p", "consumer-144p.1", None),
    ("queued", "thumbnail", "consumer-thumbnail.1", None),
    ("claimed", "thumbnail", "worker-thumbnail.1", 1),
    ("done", "thumbnail", "worker-thumbnail.1", 1),
    ("claimed", "144p", WORKER, 1),
    ("done", "144p", WORKER, 1),
    ("claimed", "master", WORKER, 1),
    ("done", "master", WORKER, 1),
    ("completed", None, WORKER, None),
)
END = len(STORY)
OUTPUT = {"segments": [{"name": "segment_000.ts", "duration": 3.0, "bytes": 9}]}
SEGMENT = f"{HASH}/hls/144p/segment_000.ts"


def at(seconds: float) -> datetime:
    """So long after the beginning."""
    return BEGAN + timedelta(seconds=seconds)


def line(request: int, kind: Kind, operation: str, **facts: Any) -> Line:
    known: dict[str, Any] = {"at": at(request / 10), "client": "client.1", "video": "tiny-0000"}
    return Line(**known | {"request": request, "kind": kind, "operation": operation} | facts)


def _lines() -> list[Line]:
    return [
        line(1, Kind.INVOKE, "upload", expected=COMPLETED, sha256=SHA),
        line(2, Kind.INVOKE, "chunk"),
        line(2, Kind.OK, "chunk", video_hash=HASH),
        line(3, Kind.INVOKE, "finalize", video_hash=HASH),
        line(3, Kind.OK, "finalize", video_hash=HASH),
        line(1, Kind.OK, "upload", video_hash=HASH),
    ]


def _jobs() -> dict[str, Job]:
    made = ("preprocessing", "144p", *SKIPPED, "thumbnail", "master")
    outputs: dict[str, Any] = {"144p": OUTPUT, "thumbnail": {"bytes": 5}}
    usual: dict[str, Any] = {"video_hash": HASH, "attempt": 1, "fence": 1, "progress": 1.0}
    jobs = {
        stage: a_job(stage, id=number, output=outputs.get(stage), **usual) for number, stage in enumerate(made, start=1)
    }
    return jobs | {stage: replace(jobs[stage], state=State.SKIPPED, fence=0, attempt=0) for stage in SKIPPED}


def _blobs() -> dict[str, Blob]:
    made = {
        f"{HASH}/original.mp4": None,
        paths.source_path(HASH): 1,
        paths.thumbnail_path(HASH): 1,
        paths.master_path(HASH): 1,
        paths.playlist_path(HASH, "144p"): 1,
        SEGMENT: 1,
    }
    return {path: Blob(path=path, bytes=9, etag='"1"', fence=fence, content_type="") for path, fence in made.items()}


def span(number: int, stage: str, name: str, **facts: Any) -> Span:
    known: dict[str, Any] = {"span_id": f"{number:016}", "parent_id": None, "video_hash": HASH, "kind": "work"}
    known |= {"process": WORKER, "attempt": 1, "started_at": at(number), "ended_at": at(number + 1), "status": "ok"}
    return Span(**known | {"stage": stage, "name": name} | facts)


@dataclass
class World:
    """All that a verdict is made from, to be spoilt before it is asked for."""

    row: Video | None = field(
        default_factory=lambda: a_video(
            video_hash=HASH,
            hls_master_path=paths.media_path(paths.master_path(HASH)),
            sha256=SHA,
            created_at=BEGAN,
            finalized_at=at(1),
            ended_at=at(20),
        )
    )
    jobs: dict[str, Job] = field(default_factory=_jobs)
    blobs: dict[str, Blob] = field(default_factory=_blobs)
    lines: list[Line] = field(default_factory=_lines)
    events: list[Event] = field(default_factory=list)
    spans: list[Span] = field(
        default_factory=lambda: [span(1, "144p", "144p"), span(2, "144p", "encode"), span(3, "thumbnail", "encode")]
    )
    posted: list[Posted] = field(default_factory=list)
    viewing: Viewing | None = field(default_factory=lambda: Viewing(listed=("144p/playlist.m3u8",), problems=()))
    lag: list[PartitionLag] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    staged: dict[str, int] = field(default_factory=dict)
    scratch: list[Scratch] = field(default_factory=list)
    strays: list[Stray] = field(default_factory=list)
    now: datetime = field(default_factory=lambda: at(1000))

    def __post_init__(self) -> None:
        for kind, stage, process, fence in STORY:
            self.tell(kind, stage, process, fence)

    # -- spoiling

    def tell(self, kind: str, stage: str | None = None, process: str = WORKER, fence: int | None = None) -> int:
        """One more event; its id."""
        number = len(self.events) + 1
        facts: dict[str, Any] = {"attempt": fence, "detail": None, "video_hash": HASH}
        self.events.append(
            Event(id=number, at=at(number), kind=kind, stage=stage, process=process, fence=fence, **facts)
        )
        return number

    def forget(self, last: int) -> None:
        """Nothing was told after the event of that id."""
        del self.events[last:]

    def change(self, **facts: Any) -> None:
        """Of the video's row."""
        assert self.row
        self.row = replace(self.row, **facts)

    def job(self, stage: str, **facts: Any) -> None:
        self.jobs[stage] = replace(self.jobs[stage], **facts)

    def fails(self, stage: str = "preprocessing") -> None:
        """It ended failed, rightly."""
        self.change(status=Status.FAILED, error_stage=stage, error_reason="it is text", hls_master_path=None)
        self.forget(5)
        self.tell("failed", stage, fence=1)
        self.tell("video_failed", stage)
        self.jobs = {"preprocessing": replace(self.jobs["preprocessing"], state=State.FAILED)}
        self.blobs = {path: blob for path, blob in self.blobs.items() if "original" in path}
        self.viewing, self.spans = None, []
        self.expect(End("failed", "preprocessing"))

    def expect(self, end: End) -> None:
        """How the client says that it should end."""
        self.lines[0] = replace(self.lines[0], expected=end)

    # -- the verdict

    def evidence(self) -> Evidence:
        rows = Snapshot(
            videos=(self.row,) if self.row else (),
            jobs=tuple(self.jobs.values()),
            events=tuple(self.events),
            outbox=tuple(self.posted),
            spans=tuple(self.spans),
        )
        return Evidence(
            at=self.now,
            rows=rows,
            blobs=tuple(self.blobs.values()),
            staged=self.staged,
            viewings={HASH: self.viewing} if self.viewing else {},
            lag=tuple(self.lag),
            tasks=tuple(self.tasks),
            scratch=tuple(self.scratch),
            strays=tuple(self.strays),
        )

    def judged(self, terms: Terms = Terms()) -> Verdict:  # noqa: B008  # frozen
        return check(History(tuple(self.lines)), self.evidence(), terms)


Spoil = Callable[[World], Any]


def found(verdict: Verdict) -> Iterable[str]:
    """`kind: rule` of each anomaly."""
    return [f"{one.kind}: {one.check}" for one in verdict.anomalies]
