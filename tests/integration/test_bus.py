"""The contracts of the consumer loop, on a real Kafka: nothing is lost, and nothing overtakes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock
from uuid import uuid4

import pytest
from confluent_kafka import OFFSET_INVALID, Consumer, TopicPartition
from confluent_kafka import Message as Record
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # it is public all the same

from tests.waiting import GUARD, until
from vidlab.bus import Bus, Loop, Subscription
from vidlab.errors import DependencyAway, NotAVideo
from vidlab.events import TYPES, Message, new_message
from vidlab.processes import die_with_parent
from vidlab.profiles import PARTITIONS, TOPICS, Topic, dead_letter_topic
from vidlab.settings import Settings

HOME = Path(__file__).parents[2]
ANSWER = 10.0  # seconds
TAKEN_OVER = 30.0  # seconds; librdkafka's own session time-out of 45 s would be too late, ours of 6 s never is

Handle = Callable[[Message], None]


class Seen:
    """Hands on to nobody, and remembers which messages came."""

    def __init__(self) -> None:
        self.etags: list[str] = []

    def __call__(self, message: Message) -> None:
        self.etags.append(message.source_etag)


@pytest.fixture
def bus_settings(kafka: str) -> Settings:
    return Settings(kafka=kafka, process="test.1")


@pytest.fixture
def topic(kafka: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A topic of this test alone, with one partition, and its dead letters."""
    name = f"test-{uuid4().hex[:8]}"
    names = [name, dead_letter_topic(name)]
    admin = AdminClient({"bootstrap.servers": kafka})
    for made in admin.create_topics([NewTopic(one, 1, 1) for one in names]).values():
        made.result(ANSWER)
    monkeypatch.setitem(TYPES, name, TYPES[Topic.PROCESSING])
    yield name
    for gone in admin.delete_topics(names).values():
        gone.result(ANSWER)


def publish(settings: Settings, topic: str, *etags: str) -> None:
    """A message for each, in this order."""
    bus = Bus(settings)
    for etag in etags:
        bus.publish(topic, "a" * 32, new_message(topic, "a" * 32, etag, "00-x-y-01").to_json())


@contextmanager
def consuming(
    settings: Settings, topic: str, handle: Handle, group: str, is_full: Callable[[], bool] = lambda: False
) -> Iterator[threading.Event]:
    """A member of that group while the block runs; gives what is set once it has joined."""
    over, joined = threading.Event(), threading.Event()
    subscription = Subscription(
        topic=topic,
        group=group,
        handle=handle,
        is_full=is_full,
        on_ready=lambda _: joined.set(),
        stopping=over.is_set,
    )
    thread = threading.Thread(target=Loop(settings, subscription, Bus(settings)).run, name="consuming")
    thread.start()
    try:
        yield joined
    finally:
        over.set()
        thread.join()


@contextmanager
def reading(settings: Settings, group: str) -> Iterator[Consumer]:
    """A bare consumer."""
    config = {"bootstrap.servers": settings.kafka, "group.id": group, "auto.offset.reset": "earliest"}
    consumer = Consumer(config | {"enable.auto.commit": False})
    try:
        yield consumer
    finally:
        consumer.close()


def committed(settings: Settings, topic: str, group: str) -> int:
    """The next offset that the group would read after a restart."""
    with reading(settings, group) as consumer:
        (place,) = consumer.committed([TopicPartition(topic, 0)], timeout=ANSWER)
        return 0 if place.offset == OFFSET_INVALID else place.offset


def records(settings: Settings, topic: str, count: int) -> list[Record]:
    """The first so many records of a topic."""
    with reading(settings, f"reader-{uuid4().hex}") as consumer:
        consumer.assign([TopicPartition(topic, 0, 0)])
        found: list[Record] = []
        while len(found) < count:
            (record,) = consumer.consume(1, ANSWER)
            found.append(record)
        return found


# -- where a group begins


def test_what_was_published_before_a_group_was_there_reaches_every_group(bus_settings: Settings, topic: str) -> None:
    publish(bus_settings, topic, "1", "2", "3")
    for group in ("first", "added later"):
        seen = Seen()
        with consuming(bus_settings, topic, seen, f"{topic} {group}"):
            until(lambda: committed(bus_settings, topic, f"{topic} {group}") == 3, "all are committed")  # noqa: B023
        assert seen.etags == ["1", "2", "3"]


# -- the offset is committed after the hand-over


def test_a_message_that_cannot_be_handed_on_is_tried_again_before_those_behind_it(
    bus_settings: Settings, topic: str
) -> None:
    publish(bus_settings, topic, "1", "2", "3")
    seen: list[str] = []
    offsets: list[int] = []

    def handle(message: Message) -> None:
        seen.append(message.source_etag)
        offsets.append(committed(bus_settings, topic, topic))
        if message.source_etag == "2" and seen.count("2") < 3:
            raise DependencyAway(name="redis", why="refused")

    with consuming(bus_settings, topic, handle, topic):
        until(lambda: committed(bus_settings, topic, topic) == 3, "all are committed")
    assert seen == ["1", "2", "2", "2", "3"]
    assert offsets == [0, 1, 1, 1, 2]


def test_the_message_that_a_killed_consumer_had_in_hand_goes_to_the_next(bus_settings: Settings, topic: str) -> None:
    publish(bus_settings, topic, "in hand")
    seen = Seen()
    with holding(bus_settings, topic) as consumer:
        consumer.send_signal(signal.SIGKILL)
        with consuming(bus_settings, topic, seen, topic):
            until(lambda: seen.etags, "the next has it", TAKEN_OVER)
            until(lambda: committed(bus_settings, topic, topic) == 1, "it is committed")
    assert seen.etags == ["in hand"]


@contextmanager
def holding(settings: Settings, topic: str) -> Iterator[subprocess.Popen[str]]:
    """Another process in the group, from when it has a message in hand; it never hands it on."""
    command = [sys.executable, "-c", HOLDER, settings.kafka, topic]
    with subprocess.Popen(
        command, cwd=HOME, env=os.environ, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent
    ) as process:
        assert process.stdout
        try:
            while process.stdout.readline() != "in hand\n":
                assert process.poll() is None
            yield process
        finally:
            process.kill()


HOLDER = """
import sys, threading
from vidlab.bus import Bus, Loop, Subscription
from vidlab.events import TYPES
from vidlab.settings import Settings

def hold(message):
    sys.stdout.write(message.source_etag + "\\n")
    sys.stdout.flush()
    threading.Event().wait()

address, topic = sys.argv[1:]
TYPES[topic] = "video.normalised"
settings = Settings(kafka=address, process="holder")
subscription = Subscription(
    topic=topic, group=topic, handle=hold, is_full=lambda: False, on_ready=lambda _: None, stopping=lambda: False
)
Loop(settings, subscription, Bus(settings)).run()
"""


# -- what is parked


def test_what_cannot_be_handled_is_parked_with_its_reason_and_holds_nobody_up(
    bus_settings: Settings, topic: str
) -> None:
    Bus(bus_settings).publish(topic, "key", "this is not JSON")
    publish(bus_settings, topic, "good", "refused")
    seen: list[str] = []

    def handle(message: Message) -> None:
        if message.source_etag == "refused":
            raise NotAVideo(why="it is text")
        seen.append(message.source_etag)

    with consuming(bus_settings, topic, handle, topic):
        until(lambda: committed(bus_settings, topic, topic) == 3, "all are committed")
    assert seen == ["good"]
    first, second = records(bus_settings, dead_letter_topic(topic), 2)
    assert (first.key(), first.value()) == (b"key", b"this is not JSON")
    headers = [dict(record.headers() or []) for record in (first, second)]
    assert [one["offset"] for one in headers] == [b"0", b"2"]
    assert {(one["group"], one["partition"]) for one in headers} == {(topic.encode(), b"0")}
    assert b"Invalid JSON" in (headers[0]["reason"] or b"")


def test_an_unforeseen_error_is_tried_five_times_and_then_parked(
    bus_settings: Settings, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidlab.bus.BACKOFF", (0.01, 0.01))
    publish(bus_settings, topic, "odd", "good")
    seen: list[str] = []

    def handle(message: Message) -> None:
        seen.append(message.source_etag)
        if message.source_etag == "odd":
            raise ZeroDivisionError

    with consuming(bus_settings, topic, handle, topic):
        until(lambda: committed(bus_settings, topic, topic) == 2, "all are committed")
    assert Counter(seen) == {"odd": 5, "good": 1}
    assert records(bus_settings, dead_letter_topic(topic), 1)


# -- a queue that is full


def test_while_the_queue_is_full_the_backlog_stands_in_kafka_in_its_order(bus_settings: Settings, topic: str) -> None:
    etags = [str(number) for number in range(20)]
    publish(bus_settings, topic, *etags)
    seen = Seen()
    full = Mock(return_value=True)
    with consuming(bus_settings, topic, seen, topic, full) as joined:
        assert joined.wait(GUARD)
        full.reset_mock()
        until(lambda: full.call_count > 20, "it has asked again and again")
        assert (seen.etags, committed(bus_settings, topic, topic)) == ([], 0)
        full.return_value = False
        until(lambda: len(seen.etags) == 20, "all have arrived")
    assert seen.etags == etags


# -- the topics


def test_init_makes_each_topic_with_six_partitions(kafka: str) -> None:
    found = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=ANSWER).topics
    names = [*TOPICS, *map(dead_letter_topic, TOPICS)]
    assert {name: len(found[name].partitions) for name in names} == dict.fromkeys(names, 6)
    assert PARTITIONS == 6
