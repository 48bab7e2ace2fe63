"""A member of a lesson's share group: `python -m vidlab.lessons.sharer NAME PLAN`. It works, then acknowledges."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass

from confluent_kafka import Message, ShareConsumer

from vidlab.naive.diary import Diary
from vidlab.settings import Settings

POLL = 0.2  # seconds
ANSWER = 5.0  # seconds for Kafka's answer to an acknowledgement


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a member reads."""

    topic: str
    group: str

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def value_of(number: int, seconds: float) -> str:
    """A record of a lesson: which it is, and how long to work on it."""
    return f"{number} {seconds}"


def number_and_work(record: Message) -> tuple[int, float]:
    """The same, as it is read."""
    number, _, seconds = (record.value() or b"").decode().partition(" ")
    return int(number), float(seconds)


def consumer_of(settings: Settings, plan: Plan) -> ShareConsumer:
    """A consumer that takes a record at a time, and says itself when it has done with it."""
    config = {
        **settings.kafka_client,
        "group.id": plan.group,
        "share.acknowledgement.mode": "explicit",
        "max.poll.records": 1,  # Kafka hands out whole batches of the producer; the lesson's hold a record each
        "fetch.wait.max.ms": 100,
    }
    return ShareConsumer(config)


def _accepted(consumer: ShareConsumer, record: Message) -> bool:
    """Does Kafka take the acknowledgement? Not when the lock has run out in between."""
    consumer.acknowledge(record)
    return all(error is None for error in consumer.commit_sync(ANSWER).values())


def main(name: str, plan: Plan) -> None:
    """Work until asked to end."""
    settings, over = Settings(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    diary = Diary(settings.redis_url, name)
    with consumer_of(settings, plan) as consumer:
        consumer.subscribe([plan.topic])
        diary.tell("ready")
        while not over.is_set():
            for record in consumer.poll(POLL):
                if record.error():
                    continue
                number, seconds = number_and_work(record)
                diary.tell("began", number=number, delivery=record.delivery_count())
                time.sleep(seconds)  # this is the record's work
                diary.tell("ended" if _accepted(consumer, record) else "refused", number=number)


if __name__ == "__main__":
    main(sys.argv[1], Plan(**json.loads(sys.argv[2])))
