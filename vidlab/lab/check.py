"""The verdict: holds what a lab knows against what its clients were told. A pure function of both.

Each rule is a row of one of the two tables; a rule without a test that breaks it is worth nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vidlab.lab.anomalies import leaked, lost, stuck, twice, wrong
from vidlab.lab.case import Case, Terms, cases
from vidlab.lab.evidence import Evidence
from vidlab.lab.history import History
from vidlab.lab.history import Kind as LineKind
from vidlab.lab.verdict import Anomaly, Finding, Kind, Verdict, in_order
from vidlab.models import Event, State

#: What is demanded when nobody says otherwise.
TERMS = Terms()

OfVideo = Callable[[Case], Iterator[Finding]]
OfLab = Callable[[Evidence, Terms], Iterator[Finding]]


@dataclass(frozen=True)
class Check:
    """A rule about a video; what it forbids stands in the docstring of its function."""

    kind: Kind
    name: str
    find: OfVideo


@dataclass(frozen=True)
class LabCheck:
    """A rule about the lab."""

    kind: Kind
    name: str
    find: OfLab


CHECKS: tuple[Check, ...] = (
    Check(Kind.LOST, "no row", lost.no_row),
    Check(Kind.LOST, "not finalized", lost.not_finalized),
    Check(Kind.LOST, "deleted by nobody", lost.hidden),
    Check(Kind.LOST, "no original", lost.no_original),
    Check(Kind.STUCK, "no end", stuck.no_end),
    Check(Kind.STUCK, "not removed", stuck.not_removed),
    Check(Kind.STUCK, "not sent", stuck.not_sent),
    Check(Kind.TWICE, "two ends", twice.two_ends),
    Check(Kind.TWICE, "one fence", twice.one_fence),
    Check(Kind.TWICE, "two workers", twice.two_workers),
    Check(Kind.TWICE, "after done", twice.after_done),
    Check(Kind.TWICE, "more work than claims", twice.more_work_than_claims),
    Check(Kind.WRONG, "does not play", wrong.does_not_play),
    Check(Kind.WRONG, "master differs", wrong.master_differs),
    Check(Kind.WRONG, "blob missing", wrong.blob_missing),
    Check(Kind.WRONG, "other fence", wrong.other_fence),
    Check(Kind.WRONG, "not all done", wrong.not_all_done),
    Check(Kind.WRONG, "other end", wrong.other_end),
    Check(Kind.WRONG, "other bytes", wrong.other_bytes),
    Check(Kind.WRONG, "end not told", wrong.end_not_told),
    Check(Kind.LEAKED, "orphan blobs", leaked.orphan_blobs),
    Check(Kind.LEAKED, "staged blocks", leaked.staged_blocks),
    Check(Kind.LEAKED, "lease", leaked.leases),
    Check(Kind.LEAKED, "open span", leaked.spans),
)

LAB_CHECKS: tuple[LabCheck, ...] = (
    LabCheck(Kind.STUCK, "not read", stuck.not_read),
    LabCheck(Kind.LEAKED, "scratch", leaked.scratch),
    LabCheck(Kind.LEAKED, "process", leaked.processes),
)


def check(history: History, evidence: Evidence, terms: Terms = TERMS) -> Verdict:
    """Judge every video that the history or the lab knows, or those that the evidence is limited to."""
    told = history if evidence.only is None else history.only(evidence.only)
    found = cases(told, evidence, terms)
    judged = [case for case in found if _counts(case)]
    anomalies = [*_of_videos(found), *_of_lab(evidence, terms)]
    return Verdict(
        videos=len(judged),
        ended=sum(1 for case in judged if case.kept and case.kept.ended),
        anomalies=in_order(anomalies),
        legal=_legal(told, evidence),
    )


def _counts(case: Case) -> bool:
    """An upload that nobody finished owes nobody an end, nor does a video that was deleted."""
    return not case.was_deleted and (case.finalized or bool(case.kept and case.kept.ended))


def _of_videos(found: list[Case]) -> Iterator[Anomaly]:
    for case in found:
        for rule in CHECKS:
            for finding in rule.find(case):
                yield Anomaly.of(rule.kind, rule.name, finding, case.video_hash, len(case.events))


def _of_lab(evidence: Evidence, terms: Terms) -> Iterator[Anomaly]:
    for rule in LAB_CHECKS:
        for finding in rule.find(evidence, terms):
            yield Anomaly.of(rule.kind, rule.name, finding)


# -- what is legal

#: Events that tell of something done, sent or asked for again, without an effect of its own.
REPEATS = (
    *("refused", "message_repeated", "message_ignored", "posted_again", "sent_again"),
    *("lease_expired", "handed_back", "attempt_failed", "waiting_for_server"),
)


def _legal(history: History, evidence: Evidence) -> Counter[str]:
    found = Counter(event.kind for event in evidence.rows.events if event.kind in REPEATS and not _first(event))
    found["task_left"] = sum(1 for _ in _tasks_left(evidence))
    for told in history.videos:
        answers = [line for line in told.lines if line.operation == "finalize" and line.kind == LineKind.OK]
        found["finalize_repeated"] += max(0, len(answers) - 1)
    return +found


def _first(event: Event) -> bool:
    """A rung that does not apply ignores its message the first time too: nothing is repeated there."""
    return event.kind == "message_ignored" and event.detail == State.SKIPPED


def _tasks_left(evidence: Evidence) -> Iterator[str]:
    """Tasks that Redis still holds of videos that have ended or gone: whoever gets one is refused."""
    going_on = {video.video_hash for video in evidence.rows.videos if not video.ended}
    for task in evidence.tasks:
        if task.video_hash not in going_on and (evidence.only is None or task.video_hash in evidence.only):
            yield task.job
