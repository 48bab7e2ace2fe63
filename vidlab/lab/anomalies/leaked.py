"""Leaked: something that was needed for a while is still there, and nobody will take it away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from vidlab.lab.anomalies.wrong import files
from vidlab.lab.case import Case, Terms
from vidlab.lab.evidence import Evidence
from vidlab.lab.verdict import Finding
from vidlab.models import State, Status
from vidlab.paths import original_path

#: A job in one of these may have an owner.
HELD = (State.RUNNING, State.CANCELLED)


def orphan_blobs(case: Case) -> Iterator[Finding]:
    """Blobs of a video that is gone, or that a completed video does not consist of."""
    if case.row is None:
        orphans = case.paths
        text = "{count} blobs are there of a video that is not"
    elif case.row.status == Status.COMPLETED:
        orphans = case.paths - {*files(case), original_path(case.video_hash, case.row.extension)}
        text = "{count} blobs are there that no job made"
    else:
        return  # it may be tried again, or goes with all that it has
    if orphans:
        yield Finding(text=text.format(count=len(orphans)), events=case.last, shows=min(orphans))


def staged_blocks(case: Case) -> Iterator[Finding]:
    """Blocks are staged for an upload that is over."""
    if case.row and case.row.status == Status.UPLOADING:
        return
    for path, count in sorted(case.staged.items()):
        yield Finding(
            text=f"{count} uncommitted blocks are left of an upload that is over", events=case.last, shows=path
        )


def leases(case: Case) -> Iterator[Finding]:
    """Somebody holds a job of a video that has ended, or a job that is not to be held."""
    for job in case.jobs:
        over = bool(case.row and case.row.ended) or job.state not in HELD
        if job.owner and over:
            text = f"{job.owner} still holds {job.stage}, which is {job.state}, of a video that is {_status(case)}"
            claim = case.ids("claimed", stage=job.stage)[-1:]
            yield Finding(text=text, events=claim, shows=f"jobs row {job.id}", stage=job.stage)


def spans(case: Case) -> Iterator[Finding]:
    """A span of a video that has ended is still open: its timeline never ends."""
    if case.row and case.row.ended:
        for span in case.spans:
            if span.status == "open":
                text = f"the span {span.name} of {span.stage} is open, and the video is {_status(case)}"
                yield Finding(text=text, events=case.last, shows=f"span {span.span_id}", stage=span.stage)


def _status(case: Case) -> str:
    return str(case.row.status) if case.row else "gone"


# -- the lab's


def scratch(evidence: Evidence, _terms: Terms) -> Iterator[Finding]:
    """Files lie in the scratch folder of a process that works on nothing."""
    working = {job.owner for job in evidence.rows.jobs if job.owner}
    for left in evidence.scratch:
        if left.name not in working:
            text = f"{len(left.files)} files of {left.bytes} bytes lie in scratch, and {left.name} works on nothing"
            yield Finding(text=text, shows=f"scratch/{left.files[0]}")


def processes(evidence: Evidence, _terms: Terms) -> Iterator[Finding]:
    """A process of the lab belongs to nobody in it."""
    for stray in evidence.strays:
        began = datetime.fromtimestamp(stray.began, UTC).strftime("%H:%M:%S")
        text = f"a process that began {began} belongs to nobody: {stray.command}"
        yield Finding(text=text, shows=f"pid {stray.pid}")
