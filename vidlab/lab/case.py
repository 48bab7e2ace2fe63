"""One video with all that is said of it: by its clients, by the rows, by blob storage, by a player."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from vidlab.lab.evidence import Evidence, Viewing, owner_of
from vidlab.lab.history import History, Told
from vidlab.models import Event, Job, Span, State, Status, Video
from vidlab.storage import Blob
from vidlab.store.snapshot import Posted

END_EVENTS = ("completed", "video_failed")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is demanded."""

    #: Seconds within which what was begun must have ended.
    bound: float = 60.0
    #: When the last fault ended: nothing is late before `bound` seconds after that.
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything about one video; what is not known is empty."""

    video_hash: str
    terms: Terms
    evidence: Evidence
    row: Video | None = None
    told: Told | None = None
    jobs: tuple[Job, ...] = ()
    #: In the order in which they happened.
    events: tuple[Event, ...] = ()
    spans: tuple[Span, ...] = ()
    posted: tuple[Posted, ...] = ()
    blobs: tuple[Blob, ...] = ()

    @property
    def viewing(self) -> Viewing | None:
        return self.evidence.viewings.get(self.video_hash)

    @property
    def staged(self) -> dict[str, int]:
        """Path -> blocks that nobody has committed."""
        return {path: count for path, count in self.evidence.staged.items() if owner_of(path) == self.video_hash}

    @cached_property
    def paths(self) -> frozenset[str]:
        return frozenset(blob.path for blob in self.blobs)

    @property
    def was_deleted(self) -> bool:
        """Did anyone ask for that? Then it may rightly be gone."""
        asked = self.told is not None and self.told.may_be_deleted
        return asked or bool(self.ids("deleting", "deleted"))

    @property
    def kept(self) -> Video | None:
        """The row, unless it is on its way out."""
        return self.row if self.row and self.row.status != Status.DELETING else None

    @property
    def finalized(self) -> bool:
        """Was a client told so, or do the rows say so?"""
        told = self.told is not None and self.told.finalized is not None
        return told or bool(self.row and self.row.finalized_at) or bool(self.ids("finalized"))

    @property
    def done(self) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if job.state == State.DONE)

    # -- events

    def of(self, *kinds: str, stage: str | None = None) -> tuple[Event, ...]:
        """The events of these kinds; of one stage, when it is named."""
        return tuple(event for event in self.events if event.kind in kinds and stage in (None, event.stage))

    def ids(self, *kinds: str, stage: str | None = None) -> tuple[int, ...]:
        return tuple(event.id for event in self.of(*kinds, stage=stage))

    @property
    def last(self) -> tuple[int, ...]:
        """The id of the last thing that happened to it."""
        return tuple(event.id for event in self.events[-1:])

    def by_stage(self) -> Iterator[tuple[str, tuple[Event, ...]]]:
        """The events of each of its jobs."""
        for stage, found in _grouped(self.events, "stage").items():
            if stage is not None:
                yield stage, tuple(found)

    # -- time

    def overdue(self, begun: datetime | None) -> float | None:
        """How long ago something began, in seconds, when that is too long; faults stop the clock until they end."""
        if begun is None:
            return None
        started = max(begun, self.terms.since or begun)
        if self.evidence.at - started <= timedelta(seconds=self.terms.bound):
            return None
        return (self.evidence.at - begun).total_seconds()


def cases(history: History, evidence: Evidence, terms: Terms) -> list[Case]:
    """A case for each video that anybody knows of."""
    rows = evidence.rows
    videos = {video.video_hash: video for video in rows.videos}
    told = {told.video_hash: told for told in history.videos if told.video_hash}
    jobs, events, spans = (_grouped(found, "video_hash") for found in (rows.jobs, rows.events, rows.spans))
    posted = _grouped(rows.outbox, "key")
    blobs: dict[str, list[Blob]] = defaultdict(list)
    for blob in evidence.blobs:
        blobs[owner_of(blob.path)].append(blob)
    return [
        Case(
            video_hash=one,
            terms=terms,
            evidence=evidence,
            row=videos.get(one),
            told=told.get(one),
            jobs=tuple(jobs[one]),
            events=tuple(sorted(events[one], key=lambda event: event.id)),
            spans=tuple(spans[one]),
            posted=tuple(posted[one]),
            blobs=tuple(blobs[one]),
        )
        for one in dict.fromkeys((*videos, *told, *events, *blobs, *map(owner_of, evidence.staged)))
        if one not in evidence.gone
    ]


def _grouped(rows: Iterable[Any], name: str) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found
