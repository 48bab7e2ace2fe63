"""Spans as sums: where a video's time went, waiting apart from work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from vidlab.models import Span


@dataclass(frozen=True)
class Hop:
    """One stage of one video, in seconds over all its attempts."""

    stage: str
    waited: float
    worked: float
    attempts: int
    #: What the work was made of: scan, probe, normalise, download, encode, upload -> seconds.
    parts: dict[str, float]


def seconds(span: Span) -> float:
    """How long a span lasted; one that is open counts as nothing."""
    return (span.ended_at - span.started_at).total_seconds() if span.ended_at else 0.0


def hops(spans: Iterable[Span]) -> list[Hop]:
    """A video's spans, summed per stage, in the order in which the stages began."""
    by_stage: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_stage[span.stage].append(span)
    return [_hop(stage, of_stage) for stage, of_stage in by_stage.items()]


def _hop(stage: str, spans: list[Span]) -> Hop:
    attempts = [span for span in spans if span.kind == "work" and span.parent_id is None]
    parts: dict[str, float] = defaultdict(float)
    for span in spans:
        if span.parent_id is not None:
            parts[span.name] += seconds(span)
    return Hop(
        stage=stage,
        waited=sum(seconds(span) for span in spans if span.kind == "queue"),
        worked=sum(seconds(span) for span in attempts),
        attempts=len(attempts),
        parts=dict(parts),
    )
