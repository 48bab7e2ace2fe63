"""A topic of a lesson's own, with the groups that read it: gone when the block ends, however it ends."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # it is public all the same

from vidlab.bus import producer_config
from vidlab.errors import DependencyAway
from vidlab.lessons.groups import ANSWER, PREFIX, quiet
from vidlab.settings import Settings


class OwnTopic:
    """A new topic. Whoever reads it with a group notes the group in `groups`."""

    def __init__(self, settings: Settings, partitions: int) -> None:
        self.settings = settings
        self.partitions = partitions
        self.name = f"{PREFIX}{secrets.token_hex(4)}"
        #: What else is to be removed at the end.
        self.groups: list[str] = []
        self.admin = AdminClient(dict(settings.kafka_client), logger=quiet)

    def __enter__(self) -> Self:
        topic = NewTopic(self.name, num_partitions=self.partitions, replication_factor=1)
        _told(lambda: self.admin.create_topics([topic], operation_timeout=ANSWER))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            for group in self.groups:
                with suppress(DependencyAway):  # nobody has joined it
                    _told(lambda group=group: self.admin.delete_consumer_groups([group], request_timeout=ANSWER))  # type: ignore[misc]
        finally:
            _told(lambda: self.admin.delete_topics([self.name], operation_timeout=ANSWER))

    def post(self, values: Sequence[tuple[int, str]]) -> None:
        """Send (partition, value) pairs in this order, each in a batch of its own. Raises DependencyAway."""
        producer = Producer(producer_config(self.settings) | {"batch.num.messages": 1}, logger=quiet)
        for partition, value in values:
            producer.produce(self.name, value, partition=partition)
        if left := producer.flush(ANSWER):
            raise DependencyAway(name="kafka", why=f"{left} messages were not taken")


def _told(ask: Callable[[], Any]) -> None:
    """Wait for what Kafka says to each thing that was asked."""
    try:
        for answer in ask().values():
            answer.result(ANSWER + 1)
    except (KafkaException, TimeoutError) as error:
        raise DependencyAway(name="kafka", why=str(error)) from error
