"""Consumer lag, asked of Kafka itself."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # it is public all the same

from vidlab.errors import DependencyAway
from vidlab.profiles import PARTITIONS, Stage, stages
from vidlab.settings import Settings

ANSWER = 5.0  # seconds


@dataclass(frozen=True)
class PartitionLag:
    """How far a group is behind on one partition, in messages."""

    group: str
    topic: str
    partition: int
    #: The next offset that the group will read.
    offset: int
    #: The offset that the next message will get.
    end: int
    lag: int


def lag(settings: Settings) -> list[PartitionLag]:
    """The lag of every group of the pipeline. Raises DependencyAway when Kafka does not answer."""
    admin = AdminClient(dict(settings.kafka_client), logger=_silent())
    try:
        partitions = _partitions({stage.topic for stage in stages()})
        starts = _offsets(admin, partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        ends = _offsets(admin, partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        return [row for stage in stages() for row in _of_group(admin, stage, starts, ends)]
    except KafkaException as error:
        raise DependencyAway(name="kafka", why=error.args[0].str()) from error
    except TimeoutError as error:
        raise DependencyAway(name="kafka", why=f"no answer in {ANSWER + 1:.0f} s") from error


def end_of(settings: Settings, topic: str) -> int:
    """How many messages were ever put on a topic. Raises DependencyAway when Kafka does not answer."""
    admin = AdminClient(dict(settings.kafka_client), logger=_silent())
    try:
        ends = _offsets(admin, _partitions([topic]), OffsetSpec.latest())  # type: ignore[no-untyped-call]
    except KafkaException as error:
        raise DependencyAway(name="kafka", why=error.args[0].str()) from error
    return sum(ends.values())


def _silent() -> logging.Logger:
    logger = logging.getLogger("librdkafka")
    logger.setLevel(logging.CRITICAL)
    return logger


def _partitions(topics: Iterable[str]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic in sorted(topics) for number in range(PARTITIONS)]


Offsets = dict[tuple[str, int], int]


def _offsets(admin: AdminClient, partitions: list[TopicPartition], spec: OffsetSpec) -> Offsets:
    answers = admin.list_offsets(dict.fromkeys(partitions, spec), request_timeout=ANSWER)
    return {(at.topic, at.partition): answer.result(ANSWER + 1).offset for at, answer in answers.items()}


def _of_group(admin: AdminClient, stage: Stage, starts: Offsets, ends: Offsets) -> list[PartitionLag]:
    asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(stage.group)], request_timeout=ANSWER)
    answer = asked[stage.group].result(ANSWER + 1)
    committed = {(at.topic, at.partition): at.offset for at in answer.topic_partitions or [] if at.offset >= 0}
    rows = []
    for partition in range(PARTITIONS):
        at = (stage.topic, partition)
        # Groups start at the earliest offset, and go on there when what they had not read is gone.
        offset = max(committed.get(at, 0), starts[at])
        rows.append(PartitionLag(stage.group, stage.topic, partition, offset, ends[at], ends[at] - offset))
    return rows


def posted(settings: Settings, topic: str) -> dict[int, list[str]]:
    """The keys of all messages that stand on a topic, in the order of each partition. Raises DependencyAway."""
    config = {**settings.kafka_client, "group.id": "vidlab-reading", "enable.partition.eof": True}
    keys: dict[int, list[str]] = {number: [] for number in range(PARTITIONS)}
    left = set(keys)
    with closing(Consumer(config)) as consumer:
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in keys])
        while left:
            record = consumer.poll(ANSWER)
            if record is None:
                raise DependencyAway(name="kafka", why=f"no message for {ANSWER:.0f} s")
            at = record.partition() or 0
            error = record.error()
            if error is None:
                keys[at].append((record.key() or b"").decode(errors="replace"))
            elif error.code() == KafkaError._PARTITION_EOF:
                left.discard(at)
    return keys
