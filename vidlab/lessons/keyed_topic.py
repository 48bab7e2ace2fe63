"""A topic of a lesson's own, and messages with and without a key on it. It is gone when the block ends."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka import Message as Record
from confluent_kafka.admin import NewPartitions, NewTopic  # type: ignore[attr-defined]  # it is public all the same

from vidlab.bus import consumer_config, producer_config
from vidlab.errors import DependencyAway
from vidlab.lessons.groups import ANSWER, PREFIX, Groups, quiet
from vidlab.profiles import PARTITIONS
from vidlab.settings import Settings


@dataclass(frozen=True)
class Posted:
    """A message, and where it came to stand."""

    #: Whom it is about: the key, where it was sent with one.
    about: str
    #: Which of the messages about that one it is, from 0.
    step: int
    partition: int
    offset: int


class KeyedTopic:
    """A new topic, and what is sent to it."""

    def __init__(self, settings: Settings, partitions: int = PARTITIONS) -> None:
        self.settings = settings
        self.partitions = partitions
        self.name = f"{PREFIX}{secrets.token_hex(4)}"
        self.groups = Groups(settings)

    def __enter__(self) -> Self:
        topic = NewTopic(self.name, num_partitions=self.partitions, replication_factor=1)
        _told(lambda: self.groups.admin.create_topics([topic], operation_timeout=ANSWER))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        remove([self.name], self.groups)

    def grow(self, partitions: int) -> None:
        """Have more partitions. Raises DependencyAway, also for fewer: Kafka cannot do that."""
        _told(lambda: self.groups.admin.create_partitions([NewPartitions(self.name, partitions)]))
        self.partitions = partitions

    def post(self, abouts: Sequence[str], *, keyed: bool = True) -> list[Posted]:
        """Send a message about each, in this order, and give where they stand. Raises DependencyAway."""
        # Without a key many messages in a row go to one partition, to fill a batch: here each is drawn by lot.
        told = producer_config(self.settings) | {"sticky.partitioning.linger.ms": 0}
        producer, posted, steps = Producer(told, logger=quiet), list[Posted](), dict[str, int]()
        for about in abouts:
            steps[about] = steps.get(about, -1) + 1
            note = _noting(posted, about, steps[about])
            producer.produce(self.name, f"{about} {steps[about]}", key=about if keyed else None, on_delivery=note)
        if (left := producer.flush(ANSWER)) or len(posted) < len(abouts):
            raise DependencyAway(name="kafka", why=f"{left or len(abouts) - len(posted)} messages were not taken")
        return posted

    def read(self) -> list[Posted]:
        """All messages, in the order in which one reader of all partitions gets them. Raises DependencyAway."""
        return [_posted(record) for record in read_all(self.settings, self.name, self.partitions)]


def _posted(record: Record) -> Posted:
    about, _, step = (record.value() or b"").decode().rpartition(" ")
    return Posted(about, int(step), record.partition() or 0, record.offset() or 0)


def read_all(settings: Settings, topic: str, partitions: int = PARTITIONS) -> list[Record]:
    """What stands on a topic, as one reader of all partitions gets it. Raises DependencyAway."""
    config = consumer_config(settings, f"{PREFIX}reading") | {"enable.partition.eof": True}
    found, left = list[Record](), set(range(partitions))
    with closing(Consumer(config, logger=quiet)) as consumer:
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in left])
        while left:
            _take(consumer.poll(ANSWER), found, left)
    return found


def _take(record: Record | None, found: list[Record], left: set[int]) -> None:
    if record is None:
        raise DependencyAway(name="kafka", why=f"no message for {ANSWER:.0f} s")
    error = record.error()
    if error is None:
        found.append(record)
    elif error.code() == KafkaError._PARTITION_EOF:
        left.discard(record.partition() or 0)
    else:
        raise DependencyAway(name="kafka", why=error.str())


def remove(topics: Sequence[str], groups: Groups) -> None:
    """Delete topics. Raises DependencyAway."""
    if topics:
        _told(lambda: groups.admin.delete_topics(list(topics), operation_timeout=ANSWER))


def _noting(posted: list[Posted], about: str, step: int) -> Callable[[KafkaError | None, Record], None]:
    def on_delivery(error: KafkaError | None, record: Record) -> None:
        if error is None:
            posted.append(Posted(about, step, record.partition() or 0, record.offset() or 0))

    return on_delivery


def _told(ask: Callable[[], Any]) -> None:
    try:
        for answer in ask().values():
            answer.result(ANSWER + 1)
    except (KafkaException, TimeoutError) as error:
        raise DependencyAway(name="kafka", why=str(error)) from error


# -- what can be measured of messages


def overtakes(read: Sequence[Posted]) -> int:
    """How many messages came before an earlier one about the same."""
    last, found = dict[str, int](), 0
    for message in reversed(read):
        found += message.step > last.get(message.about, message.step)
        last[message.about] = min(message.step, last.get(message.about, message.step))
    return found


def per_partition(posted: Sequence[Posted], partitions: int = PARTITIONS) -> list[int]:
    """How many messages stand in each."""
    counts = Counter(message.partition for message in posted)
    return [counts[number] for number in range(partitions)]


def moved(before: Sequence[Posted], after: Sequence[Posted]) -> float:
    """The share of those that stand in another partition than before, from 0 to 1."""
    was = {message.about: message.partition for message in before}
    return sum(was[message.about] != message.partition for message in after) / len(after)
