"""Consumer groups as Kafka tells of them: who is in one, what each holds, where it stands; and how one is removed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from vidlab.errors import DependencyAway
from vidlab.face.waiting import until
from vidlab.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "lesson-"  # of the groups and topics that lessons make; the lab itself has none
ANSWER = 10.0  # seconds for one answer of Kafka
LEFT = 30.0  # seconds in which the last member of a group must be out
LOOK = 0.05  # seconds between two looks at a group
GONE = "GROUP_ID_NOT_FOUND"

#: librdkafka tells every lost connection; a lesson's output is no place for it.
quiet = logging.getLogger("librdkafka")
quiet.setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Look:
    """A group at one moment."""

    #: Seconds since the first look.
    at: float
    state: str
    #: Member -> its partitions.
    held: Mapping[str, tuple[int, ...]]

    def is_settled(self, members: int, partitions: int) -> bool:
        """Is everybody in, each partition with somebody, and nobody with two more than another?"""
        counts = [len(mine) for mine in self.held.values()]
        if self.state != "STABLE" or len(counts) != members:
            return False
        return sum(counts) == partitions and max(counts) - min(counts) <= 1


class Groups:
    """The consumer groups of a lab's Kafka."""

    def __init__(self, settings: Settings) -> None:
        self.admin = AdminClient(dict(settings.kafka_client), logger=quiet)

    def look(self, group: str, began: float | None = None) -> Look:
        """Who is in it, and what each holds. Raises DependencyAway."""
        try:
            asked = self.admin.describe_consumer_groups([group], request_timeout=ANSWER)
            told = asked[group].result(ANSWER + 1)
        except KafkaException as error:
            if error.args[0].name() == GONE:  # nobody ever joined it, or it was removed
                return Look(0.0, "DEAD", {})
            raise DependencyAway(name="kafka", why=str(error)) from error
        held = {one.client_id: tuple(sorted(at.partition for at in _places(one))) for one in told.members}
        at = 0.0 if began is None else time.monotonic() - began
        return Look(round(at, 2), told.state.name, dict(sorted(held.items())))

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Partition -> the next offset that the group reads. Raises DependencyAway."""
        try:
            asked = self.admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group)], request_timeout=ANSWER
            )
            places = asked[group].result(ANSWER + 1).topic_partitions or []
        except KafkaException as error:
            raise DependencyAway(name="kafka", why=str(error)) from error
        return {at.partition: at.offset for at in places if at.topic == topic and at.offset >= 0}

    def put_back(self, group: str, topic: str, partition: int, offset: int) -> None:
        """Let an empty group read on from there. Raises DependencyAway, also when it is not empty."""
        places = [TopicPartition(topic, partition, offset)]
        try:
            asked = self.admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)])
            asked[group].result(ANSWER)
        except KafkaException as error:
            raise DependencyAway(name="kafka", why=str(error)) from error

    def names(self, prefix: str = PREFIX) -> list[str]:
        """The groups whose names begin so."""
        found = self.admin.list_consumer_groups(request_timeout=ANSWER).result(ANSWER + 1)
        return sorted(one.group_id for one in found.valid if one.group_id.startswith(prefix))

    def forget(self, group: str) -> None:
        """Remove it, and wait for its members to be out first. Raises NotThere when they stay."""
        until(lambda: self._is_gone(group), f"the group {group} to be empty", LEFT)

    def _is_gone(self, group: str) -> bool:
        (answer,) = self.admin.delete_consumer_groups([group], request_timeout=ANSWER).values()
        try:
            answer.result(ANSWER + 1)
        except KafkaException as error:
            return bool(error.args[0].name() == GONE)
        return True


def _places(member: object) -> Iterable[TopicPartition]:
    assignment = getattr(member, "assignment", None)  # somebody who is joining has none
    return assignment.topic_partitions if assignment else ()


@dataclass
class Watch:
    """Looks at a group again and again while a block runs, and keeps each look that differs from the one before."""

    groups: Groups
    group: str
    looks: list[Look] = field(default_factory=list)
    #: Why it ended early, if it did.
    trouble: DependencyAway | None = None

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"watch-{self.group}", daemon=True)

    def __enter__(self) -> Self:
        self.looks.append(self.groups.look(self.group, self._began))
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(LOOK):
            try:
                now = self.groups.look(self.group, self._began)
            except DependencyAway as error:
                self.trouble = error
                return
            last = self.looks[-1]
            if (now.state, now.held) != (last.state, last.held):
                self.looks.append(now)

    def until_settled(self, members: int, partitions: int, timeout: float = 60.0) -> float:
        """Wait for it, and give the seconds since the first look. Raises NotThere, DependencyAway."""

        def settled() -> bool:
            if self.trouble:
                raise self.trouble
            return self.looks[-1].is_settled(members, partitions)

        until(settled, f"{members} members of {self.group} to share {partitions} partitions", timeout)
        return self.looks[-1].at

    @property
    def table(self) -> pd.DataFrame:
        """Each change: seconds, the group's state, and the partitions of each member."""
        import pandas as pd

        rows = [{"seconds": look.at, "state": look.state.lower(), **_words(look.held)} for look in self.looks]
        return pd.DataFrame(rows).fillna("")


def _words(held: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    return {member: " ".join(map(str, partitions)) or "none" for member, partitions in held.items()}
