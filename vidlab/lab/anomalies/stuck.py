"""Stuck: something that was begun has not ended in the bound."""

from __future__ import annotations

from collections.abc import Iterator

from vidlab.lab.case import Case, Terms
from vidlab.lab.evidence import Evidence
from vidlab.lab.verdict import Finding
from vidlab.models import OPEN, Job, State, Status
from vidlab.profiles import stages


def no_end(case: Case) -> Iterator[Finding]:
    """It was finalized, or tried again, longer ago than the bound, and has not ended."""
    video = case.kept
    if video is None or video.ended or video.finalized_at is None:
        return
    begun = max([video.finalized_at, *(event.at for event in case.of("retried"))])
    if (seconds := case.overdue(begun)) is not None:
        text = f"no end {seconds:.0f} s after it was finalized: {_where(case)}"
        yield Finding(text=text, events=case.last, shows=_rows(case))


def not_removed(case: Case) -> Iterator[Finding]:
    """Its deletion was asked for longer ago than the bound, and its row is still there."""
    asked = case.of("deleting")
    if case.row and case.row.status == Status.DELETING and asked:
        seconds = case.overdue(asked[-1].at)
        if seconds is not None:
            text = f"it is not removed {seconds:.0f} s after its deletion was asked for"
            yield Finding(text=text, events=(asked[-1].id,), shows=f"videos row {case.row.id}")


def not_sent(case: Case) -> Iterator[Finding]:
    """A message has been waiting in the outbox for longer than the bound."""
    for row in case.posted:
        if row.sent_at is None and (seconds := case.overdue(row.created_at)) is not None:
            text = f"its message for {row.topic} has been waiting in the outbox for {seconds:.0f} s"
            yield Finding(text=text, events=case.last, shows=f"outbox row {row.id}")


def not_read(evidence: Evidence, _terms: Terms) -> Iterator[Finding]:
    """No video is open, and a group still does not read what is left for it."""
    going_on = any(video.status in (Status.PREPROCESSING, Status.PROCESSING) for video in evidence.rows.videos)
    if going_on or evidence.only is not None:
        return
    for row in evidence.lag:
        text = f"{row.group} does not read {row.lag} messages that are left, and nothing else is to be done"
        yield Finding(text=text, shows=f"{row.topic}, partition {row.partition}, offset {row.offset} of {row.end}")


# -- where it hangs


def _where(case: Case) -> str:
    still = [_job(case, job) for job in case.jobs if job.state in OPEN]
    return "; ".join(still) or "none of its jobs is open"


def _job(case: Case, job: Job) -> str:
    if job.state == State.RUNNING:
        return f"{job.stage} is worked on by {job.owner}, attempt {job.attempt}, {job.progress:.0%}"
    if job.state == State.QUEUED and not _in_redis(case, job):
        return f"{job.stage} is queued, and Redis does not have it"
    if job.state == State.WAITING and (behind := _behind(case, job)):
        return f"{job.stage} waits in Kafka, where its group has {behind} messages left to read"
    reason = f" ({job.error})" if job.error else ""
    return f"{job.stage} is {job.state}{reason}"


def _behind(case: Case, job: Job) -> int:
    """Slow is not lost: whoever is behind will come to it."""
    groups = {stage.group for stage in stages() if stage.name == job.stage}
    return sum(row.lag for row in case.evidence.lag if row.group in groups)


def _in_redis(case: Case, job: Job) -> bool:
    meant = (job.video_hash, job.stage)
    return any((task.video_hash, task.job) == meant and not task.taken for task in case.evidence.tasks)


def _rows(case: Case) -> str:
    numbers = [str(job.id) for job in case.jobs if job.state in OPEN]
    return f"jobs rows {', '.join(numbers)}" if numbers else f"videos row {case.row.id if case.row else '?'}"
