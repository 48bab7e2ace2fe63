"""Kafka: publish, and the only consumer loop.

An offset is committed after the message was handed on. While a consumer's Celery queue is full its partitions are
paused, so that the backlog stands in Kafka, where lag shows it, first in first out per partition.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka import Message as Record

from vidlab.errors import DependencyAway, PermanentError
from vidlab.events import Message, read_message
from vidlab.profiles import dead_letter_topic
from vidlab.settings import Settings

log = structlog.get_logger()

DELIVERY_TIMEOUT = 5.0  # seconds until a message that no broker took is given up; the outbox keeps it
POLL = 0.5  # seconds
POLL_PAUSED = 0.05  # seconds; a queue that has room again is noticed that soon
FULL_FOR_LONG = 0.5  # seconds; only then are partitions paused
LOOK = 0.01  # seconds between two looks at a queue that has just got full
RECONNECT_MS = 1000  # a broker that is back is noticed that soon; by default up to 10 s later
SESSION_TIMEOUT = 6.0  # seconds until a dead member's partitions go to another
#: Measured: as a rule a group is joined again 6 s after its broker is back; where there is thirty times the work that
#: processors can do some took over 30 s, and to begin anew makes that worse.
STRANDED = 60.0  # seconds
ANSWER = 2.0  # seconds
STRANDED_EXIT = 75  # the exit code of who begins anew; EX_TEMPFAIL of sysexits.h
BACKOFF = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between tries while a server is away
PARKED_BYTES = 900_000  # of a message that is parked: with its headers it must not be more than a broker takes
HANDLER_TRIES = 5  # a message that an unforeseen error meets that often is parked

#: librdkafka tells every failed connect; a line per second would hide what matters.
_quiet = logging.getLogger("librdkafka")
_quiet.setLevel(logging.CRITICAL)


def producer_config(settings: Settings) -> dict[str, Any]:
    """What a producer promises: in order, once per attempt, and only when all replicas have it."""
    return {
        **settings.kafka_client,
        "client.id": settings.process,
        "enable.idempotence": True,
        "acks": "all",
        "message.timeout.ms": int(DELIVERY_TIMEOUT * 1000),
        "linger.ms": 2,
        "reconnect.backoff.max.ms": RECONNECT_MS,
    }


def consumer_config(settings: Settings, group: str) -> dict[str, Any]:
    """How a group reads: from the earliest message on, and committing only what was handed on."""
    return {
        **settings.kafka_client,
        "group.id": group,
        "client.id": settings.process,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": int(SESSION_TIMEOUT * 1000),
        "heartbeat.interval.ms": 1500,
        "topic.metadata.refresh.interval.ms": 10_000,
        "reconnect.backoff.max.ms": RECONNECT_MS,
    }


class Bus:
    """One process's producer."""

    def __init__(self, settings: Settings) -> None:
        self._config = producer_config(settings)
        self._producer = Producer(self._config, logger=_quiet)

    def publish(self, topic: str, key: str, payload: str | bytes, headers: dict[str, str] | None = None) -> None:
        """Send one message, and return when Kafka has it. Raises DependencyAway."""
        if not all(self.publish_all([(topic, key, payload, headers or {})])):
            raise DependencyAway(name="kafka", why=f"no broker took the message within {DELIVERY_TIMEOUT:.0f} s")

    def publish_all(self, messages: Sequence[tuple[str, str, str | bytes, dict[str, str]]]) -> list[bool]:
        """Send several; tells for each whether Kafka has it. One that is told False may have arrived all the same."""
        arrived = [False] * len(messages)

        def note(index: int) -> Callable[[KafkaError | None, Record], None]:
            def on_delivery(error: KafkaError | None, _record: Record) -> None:
                arrived[index] = error is None

            return on_delivery

        try:
            for index, (topic, key, payload, headers) in enumerate(messages):
                self._producer.produce(topic, payload, key=key, headers=list(headers.items()), on_delivery=note(index))
            self._producer.flush(DELIVERY_TIMEOUT + 1)
        except (KafkaException, BufferError) as error:
            # An idempotent producer that has failed for good takes nothing more: the next try begins with a new one.
            log.error("producer renewed", reason=str(error))
            self._producer = Producer(self._config, logger=_quiet)
        return arrived


@dataclass(kw_only=True)
class Subscription:
    """What a consumer needs: where it reads, what it does, and when it must not take more."""

    topic: str
    group: str
    handle: Callable[[Message], None]
    is_full: Callable[[], bool]
    on_ready: Callable[[str], None]
    stopping: Callable[[], bool]


@dataclass
class _Trouble:
    """The message that is tried again, and until when to wait."""

    #: Partition and offset.
    place: tuple[int, int] = (-1, -1)
    tries: int = 0
    until: float = field(default=0.0)


class Loop:
    """The consumer loop: poll, hand on, commit."""

    def __init__(self, settings: Settings, subscription: Subscription, bus: Bus) -> None:
        self.subscription = subscription
        self.bus = bus
        #: None: not known, because partitions came or went.
        self.paused: bool | None = None
        self.trouble = _Trouble()
        #: Since when there are no partitions; None once the group has decided, also that there are none.
        self.apart_since: float | None = None
        self.consumer = Consumer(consumer_config(settings, subscription.group), logger=_quiet)

    def run(self) -> None:
        """Until told to stop; then leave the group, so that others take over at once."""
        self.consumer.subscribe([self.subscription.topic], on_assign=self._on_assign, on_revoke=self._on_revoke)
        self.apart_since = time.monotonic()
        try:
            while not self.subscription.stopping():
                self._see_whether_stranded()
                self._pause(self._must_wait() and (bool(self.paused) or self._stays_full()))
                record = self.consumer.poll(POLL_PAUSED if self.paused else POLL)
                if record is not None:
                    self._take(record)
        finally:
            self.consumer.close()

    # -- partitions

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.apart_since = None
        self.paused = None  # some of them may be, others not: the next turn of the loop decides anew, for all
        total = len(consumer.assignment()) + len(partitions)
        log.info("partitions assigned", group=self.subscription.group, new=len(partitions), total=total)
        self.subscription.on_ready(f"joined group {self.subscription.group}, {total} partitions")

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.apart_since = time.monotonic()
        log.info("partitions revoked", group=self.subscription.group, count=len(partitions))

    def _see_whether_stranded(self) -> None:
        """Seen with librdkafka 2.16.1: frozen for 5 s, a broker forgot a member that was just joining, and the client
        did not join again, however long the broker was back. What hangs may not be closed either: the process ends,
        and is started anew.
        """
        if self.apart_since is None or time.monotonic() - self.apart_since < STRANDED or self.consumer.assignment():
            return
        self.apart_since = time.monotonic()
        try:
            self.consumer.list_topics(self.subscription.topic, timeout=ANSWER)
        except KafkaException:  # the broker is away: then nobody can join
            return
        log.error("stranded", group=self.subscription.group, why=f"in no group for {STRANDED:.0f} s; begins anew")
        os._exit(STRANDED_EXIT)

    def _must_wait(self) -> bool:
        if time.monotonic() < self.trouble.until:
            return True
        try:
            return self.subscription.is_full()
        except DependencyAway as error:
            log.warning("waiting", reason=str(error))
            self.trouble.until = time.monotonic() + BACKOFF[-2]
            return True

    def _stays_full(self) -> bool:
        """Is there no room for so long that it is worth pausing? That throws away what was fetched, to be fetched anew:
        with short tasks it would cost more than they do.
        """
        deadline = time.monotonic() + FULL_FOR_LONG
        while not self.subscription.stopping():
            if time.monotonic() > deadline:
                return True
            time.sleep(LOOK)
            if not self._must_wait():
                return False
        return True

    def _pause(self, wanted: bool) -> None:
        if wanted == self.paused:
            return
        try:
            (self.consumer.pause if wanted else self.consumer.resume)(self.consumer.assignment())
        except KafkaException as error:  # a partition was taken away in between: the next turn decides anew
            log.warning("pausing failed", reason=str(error))
            return
        self.paused = wanted

    # -- messages

    def _take(self, record: Record) -> None:
        if record.error():
            log.warning("kafka", reason=str(record.error()))
            return
        try:
            self.subscription.handle(read_message(self.subscription.topic, record.value()))
        except DependencyAway as error:
            self._try_again(record, error)
        except PermanentError as error:
            self._park(record, str(error))
        except Exception as error:  # the one place where the unforeseen must not stop a group
            log.exception("handling failed")
            if self._tries_of(record) + 1 < HANDLER_TRIES:
                self._try_again(record, error)
            else:
                self._park(record, f"{type(error).__name__}: {error}")
        else:
            self._commit(record)

    def _commit(self, record: Record) -> None:
        try:
            self.consumer.commit(message=record, asynchronous=False)
        except KafkaException as error:  # whoever has the partition now gets the message again: legal
            log.warning("commit failed", reason=str(error), partition=record.partition(), offset=record.offset())

    def _tries_of(self, record: Record) -> int:
        return self.trouble.tries if self.trouble.place == _place(record) else 0

    def _try_again(self, record: Record, error: Exception) -> None:
        """Go back to this message, and wait a while with all partitions paused: the order is kept."""
        tries = self._tries_of(record) + 1
        pause = BACKOFF[min(tries, len(BACKOFF)) - 1]
        self.trouble = _Trouble(_place(record), tries, time.monotonic() + pause)
        log.warning("message waits", reason=str(error), tries=tries, seconds=pause)
        try:
            self.consumer.seek(TopicPartition(self.subscription.topic, *_place(record)))
        except KafkaException as seek_error:  # the partition is no longer ours: its new owner reads it
            log.warning("seek failed", reason=str(seek_error))

    def _park(self, record: Record, reason: str) -> None:
        """Put what cannot be handled on the dead letter topic, then go on."""
        facts: dict[str, Any] = {"group": self.subscription.group, "partition": record.partition()}
        facts |= {"offset": record.offset(), "reason": reason}
        key = (record.key() or b"").decode(errors="replace")
        headers = {name: str(value) for name, value in facts.items()}
        try:
            value = (record.value() or b"")[:PARKED_BYTES]
            self.bus.publish(dead_letter_topic(self.subscription.topic), key, value, headers)
        except DependencyAway as error:
            self._try_again(record, error)
            return
        log.error("message parked", **facts)
        self._commit(record)


def _place(record: Record) -> tuple[int, int]:
    """Partition and offset; the client's own TopicPartition compares without the offset."""
    return record.partition() or 0, record.offset() or 0
