"""Consumer lag, asked of Kafka itself."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
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
    logger = logging.getLogger("librdkafka")
    logger.setLevel(logging.CRITICAL)
    admin = AdminClient({"bootstrap.servers": settings.kafka}, logger=logger)
    try:
        partitions = _partitions({stage.topic for stage in stages()})
        starts = _offsets(admin, partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        ends = _offsets(admin, partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        return [row for stage in stages() for row in _of_group(admin, stage, starts, ends)]
    except KafkaException as error:
        raise DependencyAway(name="kafka", why=error.args[0].str()) from error


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
