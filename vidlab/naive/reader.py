"""A consumer process that hands messages on, in the careless way of many a tutorial, or with care.

It runs as `python -m vidlab.naive.reader PLAN`. Careless: the client commits by itself what was read, handed on or
not, and an error is logged. Careful: an offset is committed after its message was handed on, and an error is tried
again, also one that no try will mend. It writes a line of JSON for each message that it takes, and for each that it
hands on: these are the queue.
"""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict, dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as Record

POLL = 10.0  # seconds


class QueueAway(Exception):
    """The queue does not answer."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a reader does, and when it gets into trouble."""

    kafka: str
    topic: str
    group: str
    careful: bool
    #: Offsets of messages that the queue does not take at the first try.
    away: tuple[int, ...] = ()
    #: Offset of the message in whose middle it stops, to be killed.
    stop: int | None = None
    #: Does it stop after the message was handed on, rather than before?
    handed_on: bool = False
    #: Seconds between two commits of a careless one.
    commit_every: float = 0.05

    def as_json(self) -> str:
        return json.dumps(asdict(self))


class Reader:
    """Reads a topic of one partition to its end."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.left = set(plan.away)
        self.consumer = Consumer(
            {
                "bootstrap.servers": plan.kafka,
                "group.id": plan.group,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "enable.auto.commit": not plan.careful,
                "fetch.wait.max.ms": 50,  # who goes back waits for the fetch that is under way: 500 by default
                "auto.commit.interval.ms": round(plan.commit_every * 1000),
            }
        )

    def run(self) -> None:
        """To the end; or to the message where the plan wants it killed."""
        # Taken by hand instead of by joining: so the group need not first find out that a member is dead.
        self.consumer.assign([TopicPartition(self.plan.topic, 0)])
        while (record := self.consumer.poll(POLL)) is not None:
            if (error := record.error()) is None:
                (self.careful if self.plan.careful else self.careless)(record)
            elif error.code() == KafkaError._PARTITION_EOF:
                break
            else:
                raise KafkaException(error)
        self.consumer.close()

    def careless(self, record: Record) -> None:
        """What was read counts as done, whatever becomes of it."""
        try:
            self.hand_on(record)
        except (QueueAway, ValueError) as error:
            tell("logged", record, str(error))

    def careful(self, record: Record) -> None:
        """What was handed on is committed; what was not is read again."""
        try:
            self.hand_on(record)
        except (QueueAway, ValueError):
            self.consumer.seek(TopicPartition(self.plan.topic, 0, record.offset() or 0))
        else:
            self.consumer.commit(message=record, asynchronous=False)

    def hand_on(self, record: Record) -> None:
        """Into the queue. Raises QueueAway, and ValueError for what is not JSON; then the queue has not got it."""
        tell("took", record)
        json.loads(record.value() or b"")
        offset = record.offset() or 0
        if offset in self.left:
            self.left.discard(offset)
            raise QueueAway(QueueAway.__doc__)
        self.stop_when(offset, handed_on=False)
        tell("handed on", record)
        self.stop_when(offset, handed_on=True)

    def stop_when(self, offset: int, *, handed_on: bool) -> None:
        """Stand still where the plan wants it killed."""
        if offset == self.plan.stop and handed_on == self.plan.handed_on:
            sys.stdout.write(json.dumps({"what": "stands", "offset": offset}) + "\n")
            sys.stdout.flush()
            signal.pause()


def tell(what: str, record: Record, why: str = "") -> None:
    """Write a line."""
    sys.stdout.write(json.dumps({"what": what, "offset": record.offset(), "why": why}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    Reader(Plan(**{**told, "away": tuple(told["away"])})).run()
