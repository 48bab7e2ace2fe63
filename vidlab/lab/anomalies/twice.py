"""Twice: something that may happen once happened again. The order is that of the events' ids: clocks may be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from vidlab.lab.case import END_EVENTS, Case
from vidlab.lab.verdict import Finding
from vidlab.models import Event

#: What ends a claim; without one of these in between a second claim is a second worker.
RELEASES = ("done", "failed", "attempt_failed", "waiting_for_server", "handed_back", "lease_expired", "cancelled")

ENCODING = "encode"  # the span of the work that costs most


def two_ends(case: Case) -> Iterator[Finding]:
    """It ended, and ended again without having been tried again in between."""
    story = case.of(*END_EVENTS, "retried")
    for first, second in pairwise(story):
        if "retried" not in (first.kind, second.kind):
            text = f"it ended twice: {first.kind} by {first.process}, {second.kind} by {second.process}"
            yield Finding(text=text, events=(first.id, second.id))


def one_fence(case: Case) -> Iterator[Finding]:
    """Two claims of a job have the same fence, or the later one a lower."""
    for stage, events in case.by_stage():
        for first, second in pairwise(_claims(events)):
            if (second.fence or 0) <= (first.fence or 0):
                fences = f"{first.process} with fence {first.fence}, {second.process} with fence {second.fence}"
                yield Finding(text=f"{stage} was claimed by {fences}", events=(first.id, second.id), stage=stage)


def two_workers(case: Case) -> Iterator[Finding]:
    """A job was claimed while the claim before was still good."""
    for stage, events in case.by_stage():
        story = [event for event in events if event.kind in ("claimed", *RELEASES)]
        for first, second in pairwise(story):
            if first.kind == second.kind == "claimed" and (second.fence or 0) > (first.fence or 0):
                text = f"{stage} was claimed by {second.process} while {first.process} had it"
                yield Finding(text=text, events=(first.id, second.id), stage=stage)


def after_done(case: Case) -> Iterator[Finding]:
    """A job was claimed, or done, after it was done."""
    for stage, events in case.by_stage():
        story = [event for event in events if event.kind in ("claimed", "done")]
        first = next((event for event in story if event.kind == "done"), None)
        again = next((event for event in story if first and event.id > first.id), None)
        if first and again:
            text = f"{stage} was {again.kind} by {again.process} after {first.process} had done it"
            yield Finding(text=text, events=(first.id, again.id), stage=stage)


def more_work_than_claims(case: Case) -> Iterator[Finding]:
    """A job was encoded more often than it was claimed: somebody worked without a right to."""
    if not case.of("uploading"):
        return  # its events are forgotten, or lie elsewhere
    for stage, events in case.by_stage():
        claims = _claims(events)
        encodings = [span for span in case.spans if span.stage == stage and span.name == ENCODING]
        if len(encodings) > len(claims):
            text = f"{stage} was encoded {len(encodings)} times, and claimed {len(claims)} times"
            span = encodings[-1]
            yield Finding(text=text, events=tuple(one.id for one in claims), shows=f"span {span.span_id}", stage=stage)


def _claims(events: tuple[Event, ...]) -> list[Event]:
    return [event for event in events if event.kind == "claimed"]
