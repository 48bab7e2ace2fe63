"""What the fault tests wait for, and what they do to a lab; each mends what it breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import RunningLab
from tests.waiting import GUARD, until
from vidlab.models import Event, Job, State

# -- what a video has come to


def job(lab: RunningLab, video_hash: str, stage: str) -> Job | None:
    """Its job of that stage, once there is one."""
    return next((job for job in lab.store.jobs(video_hash) if job.stage == stage), None)


def state_of(lab: RunningLab, video_hash: str, stage: str) -> State | None:
    found = job(lab, video_hash, stage)
    return found.state if found else None


def span_is(lab: RunningLab, video_hash: str, stage: str, name: str, status: str) -> bool:
    """Is there a span of that name, and is it "open", or how did it end?"""
    return any((one.stage, one.name, one.status) == (stage, name, status) for one in lab.store.spans(video_hash))


def works(lab: RunningLab, video_hash: str, stage: str) -> Callable[[], bool]:
    """Does a worker encode? Asked of the spans, which know it at once; progress comes with the next beat."""

    def check() -> bool:
        assert state_of(lab, video_hash, stage) != State.DONE, "it was done before the fault came"
        return span_is(lab, video_hash, stage, "encode", "open")

    return check


def event(lab: RunningLab, video_hash: str, kind: str, stage: str, attempt: int) -> Event:
    events = lab.store.events(video_hash)
    return next(e for e in events if (e.kind, e.stage, e.attempt) == (kind, stage, attempt))


def attempts(lab: RunningLab, video_hash: str, stage: str) -> list[int | None]:
    """The number of each attempt that was begun."""
    events = lab.store.events(video_hash)
    return [one.attempt for one in events if (one.kind, one.stage) == ("claimed", stage)]


# -- what the lab is doing


def lines_with(path: Path, *words: str) -> int:
    """How many lines of a log hold all these words. A log that nobody wrote yet has none."""
    if not path.exists():
        return 0
    return sum(all(word in line for word in words) for line in path.read_text(errors="replace").splitlines())


def tells(lab: RunningLab, name: str, *words: str, times: int = 1) -> Callable[[], bool]:
    """Did this process write so many lines with all these words, after this was asked for?"""
    path = lab.local.folder.log_of(name)
    before = lines_with(path, *words)
    return lambda: lines_with(path, *words) >= before + times


def names(lab: RunningLab) -> set[str]:
    """The processes that there are."""
    return {one.name for one in lab.local.status().processes}


def restarts(lab: RunningLab, name: str) -> int:
    return lab.local.status().process(name).restarts


# -- what is done to it


@contextmanager
def paused(lab: RunningLab, name: str) -> Iterator[None]:
    """It stands still, with its connections open."""
    lab.local.pause(name)
    try:
        yield
    finally:
        lab.local.resume(name)


@contextmanager
def away(lab: RunningLab, name: str) -> Iterator[None]:
    """It is killed, and not started again before the end."""
    number = lab.local.fault(f"{name}-down", seconds=GUARD)["id"]
    try:
        yield
    finally:
        lab.local.faults_over(number)


@contextmanager
def scaled(lab: RunningLab, kind: str, count: int) -> Iterator[None]:
    """There are so many of a kind; those that are too many are gone."""
    before = lab.local.scale(kind, count)
    until(lambda: _count(lab, kind) == count, f"{kind} is scaled to {count}")
    try:
        yield
    finally:
        lab.local.scale(kind, before)
        until(lambda: _count(lab, kind) == before, f"{kind} is scaled to {before}")
        lab.local.wait(kind)


def _count(lab: RunningLab, kind: str) -> int:
    return sum(name.startswith(f"{kind}.") for name in names(lab))
