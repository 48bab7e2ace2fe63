"""The lesson `03_fanout`: what its exercises ask, and the little that its cells need."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vidlab.face import Lab
from vidlab.lessons.exercise import Exercise, is_number
from vidlab.lessons.falling_behind import caught_up, fallen_behind, silent
from vidlab.lessons.handing_on import Trouble, run, table
from vidlab.lessons.keyed_topic import KeyedTopic, moved, overtakes, per_partition
from vidlab.lessons.leftovers import tidy
from vidlab.lessons.observer import Note, Observer
from vidlab.lessons.poison import blocked, parked
from vidlab.lessons.sharing import deliver, members_of, rebalance, replay
from vidlab.naive.reader import Reader
from vidlab.observe.kafka import posted
from vidlab.profiles import PARTITIONS, PROFILES, Topic

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "KeyedTopic",
    "Observer",
    "Reader",
    "Trouble",
    "blocked",
    "caught_up",
    "deliver",
    "fallen_behind",
    "members_of",
    "moved",
    "overtakes",
    "parked",
    "per_partition",
    "rebalance",
    "replay",
    "run",
    "silent",
    "table",
    "tidy",
]

# -- what cells need


def offsets(lab: Lab) -> pd.DataFrame:
    """The topic's partitions: where each group stands, and `end`, the offset that the next message will get."""
    rows = lab.lag()
    rows = rows[rows["topic"] == Topic.PROCESSING]
    frame = rows.pivot_table(index="partition", columns="group", values="offset")
    frame = frame[[profile.stage.group for profile in PROFILES]].astype(int)
    frame.columns = [profile.name for profile in PROFILES]
    return frame.assign(end=rows.groupby("partition")["end"].first())


def standing(lab: Lab) -> int:
    """How many messages stand on the topic: those that Kafka has forgotten do not."""
    return sum(len(keys) for keys in posted(lab.settings, Topic.PROCESSING).values())


def others(lab: Lab) -> dict[str, int]:
    """The pids of all processes that run, consumers too: who is started anew has another."""
    return {str(name): int(pid) for name, pid in lab.status()["pid"].dropna().items()}


def crowd(keys: int, each: int, hot: float = 0.0) -> list[str]:
    """Whom `keys` times `each` messages are about, in turn; a share of all, from 0 to 1, is about `hot` instead."""
    names = itertools.cycle(f"user {number}" for number in range(1, keys + 1))
    every = round(1 / (1 - hot))
    return ["hot" if number % every else next(names) for number in range(keys * each)]


# -- messages that were there before


@dataclass
class Facts:
    """What the learner's own run showed."""

    notes: list[Note] = field(default_factory=list)
    joined_at: datetime | None = None


_facts = Facts()


def about(observer: Observer) -> None:
    """Let an exercise ask about what it read."""
    _facts.notes, _facts.joined_at = list(observer.notes), observer.joined_at


def _judge_older(answer: Any) -> str | None:
    joined_at = _facts.joined_at
    if joined_at is None:
        return "add the observer first: run the cells above"
    older = sum(note.posted_at < joined_at for note in _facts.notes)
    if float(answer) == len(_facts.notes) != older:
        return "these are all that it read; some were sent while it was there"
    if float(answer) == len(_facts.notes) - older != older:
        return "so many were sent after it had joined; what is asked for are those before"
    return is_number(older, 0, "count the rows of seventh.table whose posted_at is before seventh.joined_at")(answer)


# -- functions that are asked for, and the cases that they are tried with

Case = tuple[tuple[Any, ...], Any]

#: Messages, groups, members of each group; how many messages are read in all.
DELIVERIES: tuple[Case, ...] = (((10, 6, 1), 60), ((10, 6, 2), 60), ((10, 1, 6), 10), ((3, 7, 1), 21), ((5, 0, 1), 0))

#: Partitions, members; how many partitions each has, the most first.
SHARES: tuple[Case, ...] = (
    ((6, 1), [6]),
    ((6, 4), [2, 2, 1, 1]),
    ((6, 6), [1] * 6),
    ((6, 7), [1] * 6 + [0]),
    ((12, 5), [3, 3, 2, 2, 2]),
)

#: Was it handed on, was its offset committed; what became of it once another reader had gone on.
FATES: tuple[Case, ...] = (
    ((True, True), "once"),
    ((True, False), "twice"),
    ((False, True), "lost"),
    ((False, False), "once"),
)


def _tries(cases: Sequence[Case], words: str, name: str) -> Callable[[Any], str | None]:
    """A judge of a function; `words` tells a case by its arguments."""

    def judge(answer: Any) -> str | None:
        if not callable(answer):
            return f"give the function itself, such as `{name}`"
        for arguments, right in cases:
            if (given := answer(*arguments)) != right:
                return f"{words.format(*arguments)}: it says {given!r}, and Kafka does otherwise"
        return None

    return judge


# -- the exercises

deliveries = Exercise(
    "Write deliveries(messages, groups, members): how many are read in all, with so many members in each group?",
    _tries(DELIVERIES, "{0} messages, {1} groups of {2}", "deliveries"),
    right="Groups multiply the work, members divide it.",
    hints=(
        "How often does one group read one message, however many members it has?",
        "A second member takes work from the first: it adds none.",
    ),
    solution="""
        def deliveries(messages, groups, members):
            return messages * groups
    """,
)

older = Exercise(
    "How many of the messages that the seventh group read had been sent before it joined?",
    _judge_older,
    right="Reading took nothing away, and this group asked to begin at the beginning.",
    hints=(
        "seventh.table has a column posted_at, and seventh.joined_at is a moment.",
        "(seventh.table.posted_at < ...) is True or False for each row, and can be summed.",
    ),
    solution="answer = (seventh.table.posted_at < seventh.joined_at).sum()",
)

share_out = Exercise(
    "Write share_out(partitions, members): a list of how many partitions each member of a group has, the most first.",
    _tries(SHARES, "{0} partitions, {1} members", "share_out"),
    right=f"So with {PARTITIONS} partitions a seventh consumer has nothing to do: partitions are the limit.",
    hints=(
        "A partition is never shared: divmod(partitions, members) gives what all have, and how many have one more.",
        "A member without a partition is in the list too, as 0.",
    ),
    solution="""
        def share_out(partitions, members):
            each, more = divmod(partitions, members)
            return [each + 1] * more + [each] * (members - more)
    """,
)

fate = Exercise(
    "Write fate(handed_on, committed): what became of the message in hand at the kill, 'once', 'twice' or 'lost'?",
    _tries(FATES, "handed on: {0}, committed: {1}", "fate"),
    right="Whoever commits afterwards can get `twice`, and never `lost`. And `twice` can be made harmless.",
    hints=(
        "The next reader begins at the committed offset: does it see this message?",
        "Four cases: what was neither handed on nor committed comes again, and is handed on then.",
    ),
    solution="""
        def fate(handed_on, committed):
            if handed_on:
                return "once" if committed else "twice"
            return "lost" if committed else "once"
    """,
)
