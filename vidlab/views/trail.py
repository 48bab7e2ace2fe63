"""The events around those that show an anomaly: what came before, the one that shows it, and what came after."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

BEFORE, AFTER = 3, 2  # events around one that shows it
LAST = 6  # events, where none shows it

#: A row of `GET /videos/{hash}/events`.
EventJson = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Step:
    """An event of a trail."""

    id: int
    at: str
    stage: str | None
    kind: str
    process: str
    attempt: int | None
    fence: int | None
    detail: str | None
    #: It shows the anomaly.
    here: bool
    #: How many events of the video are left out before it.
    gap: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Trail:
    """A few of a video's events, in order."""

    steps: tuple[Step, ...] = ()
    #: How many events are left out after the last.
    more: int = 0

    def as_json(self) -> dict[str, Any]:
        return {"steps": [step.as_json() for step in self.steps], "more": self.more}


def trail(events: Sequence[EventJson], shown_by: Collection[int], stage: str | None = None) -> Trail:
    """What surrounds the events with those ids; where none of them is there, the last ones, of that stage if any."""
    marked = [place for place, event in enumerate(events) if event["id"] in shown_by]
    kept = _around(marked, len(events)) if marked else _last(events, stage)
    befores = (-1, *kept)
    steps = (_step(events[one], shown_by, one - before - 1) for before, one in zip(befores, kept, strict=False))
    return Trail(steps=tuple(steps), more=len(events) - 1 - befores[-1])


def _around(marked: Sequence[int], count: int) -> list[int]:
    return sorted({near for one in marked for near in range(max(0, one - BEFORE), min(count, one + AFTER + 1))})


def _last(events: Sequence[EventJson], stage: str | None) -> list[int]:
    of_stage = [place for place, event in enumerate(events) if event["stage"] == stage]
    return (of_stage or list(range(len(events))))[-LAST:]


def _step(event: EventJson, shown_by: Collection[int], gap: int) -> Step:
    facts = {name: event[name] for name in ("id", "at", "stage", "kind", "process", "attempt", "fence", "detail")}
    return Step(**facts, here=event["id"] in shown_by, gap=gap)
