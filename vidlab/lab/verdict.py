"""What a check found, in numbers and in examples: for a terminal, a notebook, or a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self


class Kind(StrEnum):
    """The ways in which a video, or the lab, can have come to harm."""

    LOST = "lost"
    STUCK = "stuck"
    TWICE = "twice"
    WRONG = "wrong"
    LEAKED = "leaked"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that must not be, with what shows it."""

    text: str
    #: Ids in the table `events`.
    events: tuple[int, ...] = ()
    #: The row, blob, file or process that shows it, where no event does, or beside it.
    shows: str = ""
    stage: str | None = None


@dataclass(frozen=True, kw_only=True)
class Anomaly:
    """A finding, and the rule that it breaks."""

    kind: Kind
    #: The rule's name.
    check: str
    #: None when it is the lab's and no video's.
    video_hash: str | None
    stage: str | None
    text: str
    events: tuple[int, ...]
    shows: str
    #: How much there is to read about its video, in events: the smallest example is the first to look at.
    size: int = field(default=0, repr=False)

    @classmethod
    def of(cls, kind: Kind, check: str, finding: Finding, video_hash: str | None = None, size: int = 0) -> Self:
        return cls(kind=kind, check=check, video_hash=video_hash, size=size, **asdict(finding))

    def as_json(self) -> dict[str, Any]:
        facts = asdict(self)
        del facts["size"]
        return facts | {"events": list(self.events)}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Nothing lost, stuck, twice, wrong or leaked: then `well` is true."""

    videos: int
    ended: int
    #: The smallest example of each kind first.
    anomalies: tuple[Anomaly, ...] = ()
    #: What happened more than once and had no effect, by its kind: legal.
    legal: Mapping[str, int] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        return not self.anomalies

    @property
    def legal_repeats(self) -> int:
        return sum(self.legal.values())

    def count(self, kind: Kind) -> int:
        return len(self.of(kind))

    def of(self, kind: Kind) -> Sequence[Anomaly]:
        return [one for one in self.anomalies if one.kind == kind]

    def as_json(self) -> dict[str, Any]:
        """`videos, ended, lost, stuck, twice, wrong, leaked, legal_repeats, anomalies`: this shape stays."""
        counts = {str(kind): self.count(kind) for kind in Kind}
        return {
            "videos": self.videos,
            "ended": self.ended,
            **counts,
            "legal_repeats": self.legal_repeats,
            "anomalies": [one.as_json() for one in self.anomalies],
        }

    def _repr_html_(self) -> str:
        from vidlab.views.verdict import html

        return html(self)


def in_order(anomalies: Sequence[Anomaly]) -> tuple[Anomaly, ...]:
    """By kind, the smallest example first."""
    kinds = list(Kind)
    return tuple(sorted(anomalies, key=lambda one: (kinds.index(one.kind), one.size, one.video_hash or "", one.check)))
