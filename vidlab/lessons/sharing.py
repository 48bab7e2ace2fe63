"""Who gets which message: members of one group share them, each group gets all; and what happens when members come."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidlab.face import Lab
from vidlab.face.waiting import until
from vidlab.lessons.groups import Groups, Watch
from vidlab.lessons.keyed_topic import KeyedTopic
from vidlab.lessons.observer import Note, Observer
from vidlab.profiles import PARTITIONS, PROFILES, Stage, profile_named

if TYPE_CHECKING:
    import pandas as pd

SETTLED = 60.0  # seconds in which a group must have shared its partitions out
STAGES = tuple(profile.name for profile in PROFILES)


def deliver(lab: Lab, videos: int, *, one_group: bool) -> pd.DataFrame:
    """A row for each video and a column for each stage: how often it got the message.

    The stages are observers on a topic of their own: members of one group, or each a group of its own.
    """
    with KeyedTopic(lab.settings) as topic, ExitStack() as stack:
        shared = f"{topic.name}-all" if one_group else None
        if shared:
            stack.callback(topic.groups.forget, shared)
        readers = [Observer(lab.settings, topic.name, group=shared, name=name) for name in STAGES]
        for reader in readers:
            stack.enter_context(reader)
        if shared:
            until(lambda: _shared_out(topic.groups, shared), "the partitions to be shared out", SETTLED)
        names = [f"video {number}" for number in range(1, videos + 1)]
        topic.post(names)
        expected = videos * (1 if one_group else len(STAGES))
        until(lambda: sum(map(len, readers)) >= expected, f"{expected} messages to be read", SETTLED)
        return _table(names, readers)


def _shared_out(groups: Groups, group: str, members: int = len(STAGES), partitions: int = PARTITIONS) -> bool:
    return groups.look(group).is_settled(members, partitions)


def members_of(lab: Lab, members: int, partitions: int) -> dict[str, list[int]]:
    """Have so many members of a new group on a topic of its own: the partitions that each is given."""
    with KeyedTopic(lab.settings, partitions) as topic, ExitStack() as stack:
        group = f"{topic.name}-members"
        stack.callback(topic.groups.forget, group)
        for number in range(1, members + 1):
            stack.enter_context(Observer(lab.settings, topic.name, group=group, name=f"member {number}"))
        until(lambda: _shared_out(topic.groups, group, members, partitions), "the partitions to be shared out", SETTLED)
        return {name: list(mine) for name, mine in topic.groups.look(group).held.items()}


def _table(names: list[str], readers: list[Observer]) -> pd.DataFrame:
    import pandas as pd

    keys = {stage: [note.key for note in reader.notes] for stage, reader in zip(STAGES, readers, strict=True)}
    return pd.DataFrame({stage: [got.count(name) for name in names] for stage, got in keys.items()}, index=names)


@dataclass(frozen=True)
class Rebalance:
    """What happened when a group got other members, and how long it took."""

    #: Each change: seconds, the group's state, and the partitions of each member.
    table: pd.DataFrame
    #: Until all partitions were shared out.
    seconds: float
    #: Member -> its partitions, then.
    held: dict[str, tuple[int, ...]]

    @property
    def counts(self) -> list[int]:
        """How many partitions members have, the most first."""
        return sorted((len(mine) for mine in self.held.values()), reverse=True)

    @property
    def idle(self) -> list[str]:
        """Members without a partition."""
        return [member for member, mine in self.held.items() if not mine]


def rebalance(lab: Lab, stage: str, consumers: int) -> Rebalance:
    """Have so many consumers of a stage, until they share its partitions; then as many as before, and wait again."""
    kind, group = f"consumer-{stage}", profile_named(stage).stage.group
    before = _count(lab, kind)
    with Watch(Groups(lab.settings), group) as watch:
        try:
            lab.scale(kind, consumers)
            seconds = watch.until_settled(consumers, PARTITIONS, SETTLED)
            held = dict(watch.looks[-1].held)
        finally:
            lab.scale(kind, before)
        watch.until_settled(before, PARTITIONS, SETTLED)
        return Rebalance(watch.table, seconds, held)


def _count(lab: Lab, kind: str) -> int:
    return int((lab.status()["kind"] == kind).sum())


@dataclass(frozen=True)
class Replayed:
    """What a group did with messages that it had read before."""

    #: How many it read again.
    messages: int
    #: How many of these, of the video that was asked about, it put aside.
    ignored: int
    #: How many times a worker began with that video anew.
    begun: int


def replay(lab: Lab, stage: str, note: Note) -> Replayed:
    """Put a stage's own group back to that message, and let it read on from there to the end."""
    kind, group = f"consumer-{stage}", profile_named(stage).stage
    groups = Groups(lab.settings)
    before = _kinds(lab, note.key, stage)
    count = _count(lab, kind)
    try:
        lab.scale(kind, 0)  # Kafka moves no offsets under the feet of members
        until(lambda: not groups.look(group.group).held, f"{group.group} to be empty", SETTLED)
        end = _at(groups, group, note)
        groups.put_back(group.group, group.topic, note.partition, note.offset)
    finally:
        lab.scale(kind, count)
    until(lambda: _at(groups, group, note) >= end, f"{group.group} to read the messages again", SETTLED)
    new = _kinds(lab, note.key, stage)[len(before) :]
    return Replayed(end - note.offset, new.count("message_ignored"), new.count("claimed"))


def _at(groups: Groups, stage: Stage, note: Note) -> int:
    return groups.committed(stage.group, stage.topic)[note.partition]


def _kinds(lab: Lab, video_hash: str, stage: str) -> list[str]:
    events = lab.events(video_hash)
    return list(events[events["stage"] == stage]["kind"])
