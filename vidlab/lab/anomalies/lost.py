"""Lost: a client was told that its video is finalized, and the system knows nothing of it, or no longer has it."""

from __future__ import annotations

from collections.abc import Iterator

from vidlab.lab.case import Case
from vidlab.lab.verdict import Finding
from vidlab.models import Status
from vidlab.paths import original_path


def no_row(case: Case) -> Iterator[Finding]:
    """It was finalized, nobody deleted it, and it has no row."""
    if case.finalized and case.row is None and not case.was_deleted:
        yield Finding(text=f"{_word(case)}, and there is no such row", events=_last(case), shows=_said(case))


def not_finalized(case: Case) -> Iterator[Finding]:
    """Its row stands as if it had never been finalized."""
    if case.row and case.finalized and case.row.finalized_at is None and not case.was_deleted:
        text = f"{_word(case)}, and its row is {case.row.status} without a time of that"
        yield Finding(text=text, events=_last(case), shows=_said(case))


def hidden(case: Case) -> Iterator[Finding]:
    """It is being deleted, and nobody asked for that."""
    if case.row and case.row.status == Status.DELETING and not case.was_deleted:
        yield Finding(text="it is being deleted, and nobody asked for that", events=case.last, shows=_row(case))


def no_original(case: Case) -> Iterator[Finding]:
    """What the user sent is kept, also of a video that failed; and it is not there."""
    video = case.kept
    if video is None or video.finalized_at is None:
        return
    path = original_path(video.video_hash, video.extension)
    if path not in case.paths:
        yield Finding(text="what the user sent is not in blob storage", events=case.ids("finalized"), shows=path)


def _word(case: Case) -> str:
    told = case.told is not None and case.told.finalized is not None
    return "the client was told that it is finalized" if told else "an event says that it was finalized"


def _last(case: Case) -> tuple[int, ...]:
    return case.ids("finalized") or case.last


def _said(case: Case) -> str:
    """Where the history has it."""
    line = case.told.finalized if case.told else None
    return f"history: {line.video}, request {line.request}, {line.client}" if line else _row(case)


def _row(case: Case) -> str:
    return f"videos row {case.row.id}" if case.row else ""
