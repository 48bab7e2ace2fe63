"""Messages that are unreadable, repeated, lost, or read by one group more: the work is done once, and in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from confluent_kafka import Message as Record
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # it is public all the same

from tests.acceptance.conditions import scaled, state_of
from tests.lab import RunningLab
from tests.waiting import until
from vidlab import clips as table
from vidlab.bus import Bus
from vidlab.events import new_message
from vidlab.jobs import Queues
from vidlab.models import State
from vidlab.observe.kafka import lag, posted
from vidlab.pipeline.fanout import consume
from vidlab.profiles import PARTITIONS, Stage, Topic, dead_letter_topic, profile_named, stages

EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]
THUMBNAIL = profile_named("thumbnail").stage
WORKERS = ("one", "two")
LESSON = Stage(name="lesson", topic=Topic.PROCESSING, group="lesson", queue="lesson")


def places(topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)]


def offsets(lab: RunningLab, topic: str, spec: OffsetSpec) -> dict[int, int]:
    """Of each partition, the first offset or the one after the last."""
    admin = AdminClient({"bootstrap.servers": lab.settings.kafka})
    answers = admin.list_offsets(dict.fromkeys(places(topic), spec))
    return {at.partition: answer.result(5).offset for at, answer in answers.items()}


def records(lab: RunningLab, topic: str) -> list[Record]:
    """All that stands on a topic, in the order of each partition."""
    total = sum(offsets(lab, topic, LATEST).values()) - sum(offsets(lab, topic, EARLIEST).values())
    found: list[Record] = []
    with closing(Consumer({"bootstrap.servers": lab.settings.kafka, "group.id": "test"})) as consumer:
        consumer.assign(places(topic))

        def complete() -> bool:
            found.extend(record for record in consumer.consume(500, timeout=0.2) if not record.error())
            return len(found) >= total

        until(complete, f"all of {topic} is read")
    return found


def behind(lab: RunningLab, group: str) -> int:
    return sum(row.lag for row in lag(lab.settings) if row.group == group)


# -- unreadable, repeated, lost


def test_a_message_that_nobody_can_read_is_parked_and_blocks_no_group(lab: RunningLab) -> None:
    topic = stages()[1].topic
    bus = Bus(lab.settings)
    bus.publish(topic, "poison", "this is not JSON")
    bus.publish(topic, "poison", '{"version": 99}')
    video = lab.ended(lab.send(table.make("tiny", lab.clips)))
    assert video["status"] == "completed"
    groups = {stage.group for stage in stages() if stage.topic == topic}
    until(lambda: len(parked(lab, topic)) >= 2 * len(groups), "each group has parked both")
    found = parked(lab, topic)
    assert sorted(headers["group"] for headers in found) == sorted([*groups, *groups])
    assert all({"partition", "offset", "reason"} <= headers.keys() for headers in found)


def parked(lab: RunningLab, topic: str) -> list[dict[str, str]]:
    """The headers of what stands on the dead letter topic, but for what others sent and what an observer put there."""
    poison = [record for record in records(lab, dead_letter_topic(topic)) if record.key() == b"poison"]
    heads: list[Any] = [record.headers() or [] for record in poison]
    found = [{name: value.decode() for name, value in head} for head in heads]
    return [headers for headers in found if headers["group"] != LESSON.group]


def test_a_message_and_a_task_delivered_twice_do_the_work_once(lab: RunningLab) -> None:
    video_hash = lab.send(table.make("tiny", lab.clips))
    assert lab.ended(video_hash)["status"] == "completed"
    video = lab.store.video(video_hash)
    again = new_message(Topic.PROCESSING, video_hash, video.source_etag or "", f"00-{video_hash}-{'1' * 16}-01")
    Bus(lab.settings).publish(Topic.PROCESSING, video_hash, again.to_json())
    Queues(lab.settings).send(video_hash, "144p")
    until(lambda: "refused" in lab.kinds(video_hash, "144p"), "the repeated task is refused")
    until(lambda: "message_ignored" in lab.kinds(video_hash, "144p"), "the repeated message is ignored")
    assert lab.kinds(video_hash, "144p").count("claimed") == 1
    assert lab.kinds(video_hash).count("completed") == 1


def test_a_message_that_kafka_has_lost_is_posted_again(lab: RunningLab) -> None:
    with scaled(lab, "consumer-144p", 0):  # one that is paused may have the message in its hands already
        video_hash = lab.send(table.make("tiny", lab.clips))
        until(lambda: state_of(lab, video_hash, "thumbnail") == State.DONE, "the others have read it")
        assert state_of(lab, video_hash, "144p") == State.WAITING
        forget_all(lab, Topic.PROCESSING)
    video = lab.ended(video_hash)
    assert video["status"] == "completed", video["error"]
    kinds = lab.kinds(video_hash)
    assert kinds.count("posted_again") == 1
    assert kinds.count("completed") == 1
    assert lab.kinds(video_hash, "thumbnail").count("done") == 1


def forget_all(lab: RunningLab, topic: str) -> None:
    """Delete all records of a topic, as a lost disk or a short retention would."""
    upto = [TopicPartition(topic, number, offset) for number, offset in offsets(lab, topic, LATEST).items()]
    admin = AdminClient({"bootstrap.servers": lab.settings.kafka})  # which must live until it has answered
    for answer in admin.delete_records(upto).values():
        answer.result(5)


# -- a group more


@contextmanager
def lesson_group(lab: RunningLab) -> Iterator[None]:
    """A consumer like those of the lab, of a stage that no video has; it has joined inside."""
    joined, over = threading.Event(), threading.Event()
    settings = lab.settings.model_copy(update={"process": "lesson.1"})
    thread = threading.Thread(target=consume, args=(LESSON, settings, lambda _: joined.set(), over.is_set))
    thread.start()
    try:
        until(joined.is_set, "the group has joined")
        yield
    finally:
        over.set()
        thread.join()


def test_a_group_that_is_added_is_an_observer_that_nobody_waits_for(lab: RunningLab) -> None:
    earlier = lab.send(table.make("tiny", lab.clips))
    assert lab.ended(earlier)["status"] == "completed"
    with lesson_group(lab):
        later = lab.send(table.make("tiny", lab.clips))
        until(lambda: "message_ignored" in lab.kinds(earlier, LESSON.name), "it begins at the earliest message")
        until(lambda: "message_ignored" in lab.kinds(later, LESSON.name), "it sees the new one too")
        assert lab.ended(later)["status"] == "completed"
    assert Queues(lab.settings).redis.llen(LESSON.queue) == 0
    for video_hash in (earlier, later):
        assert lab.kinds(video_hash).count("completed") == 1
        assert LESSON.name not in {job.stage for job in lab.store.jobs(video_hash)}


# -- order, and where the backlog stands


def test_two_workers_are_given_two_tasks_each_and_the_rest_waits_in_kafka_in_its_order(lab: RunningLab) -> None:
    offered = Queues(lab.settings)
    with scaled(lab, "worker-thumbnail", 2):
        until(lambda: offered.workers(THUMBNAIL.queue) == 2, "both workers have signed in")
    with scaled(lab, "worker-thumbnail", 0):
        until(lambda: offered.workers(THUMBNAIL.queue) == 0, "all workers have signed out")
        sent = [lab.send(table.make("tiny", lab.clips), title=str(number)) for number in range(9)]
        until(lambda: standing(lab, offered) == (4, 5), "four are handed over, and five wait in Kafka")
        assert standing(lab, offered) == (4, 5)  # and so it stays
        for name in WORKERS:
            offered.sign_out(THUMBNAIL.queue, name)
    assert {lab.ended(video_hash)["status"] for video_hash in sent} == {"completed"}
    for kind in ("queued", "claimed"):
        assert_first_in_first_out(lab, sent, kind)
    # Also those whose profile does not apply: their groups have read and committed everything.
    until(lambda: not any(row.lag for row in lag(lab.settings)), "the lag is gone")
    assert {tuple(lab.kinds(video_hash, "1080p")) for video_hash in sent} == {("skipped",)}


def standing(lab: RunningLab, offered: Queues) -> tuple[int, int]:
    """How many thumbnails wait in Redis and in Kafka, while two workers are there that take nothing."""
    for name in WORKERS:
        offered.sign_in(THUMBNAIL.queue, name)
    return offered.lengths()[THUMBNAIL.queue], behind(lab, THUMBNAIL.group)


def assert_first_in_first_out(lab: RunningLab, sent: list[str], kind: str) -> None:
    """Was this done to the thumbnails in the order of their messages, within each partition?"""
    when = {video_hash: moment(lab, video_hash, kind) for video_hash in sent}
    for keys in posted(lab.settings, Topic.PROCESSING).values():
        order = [video_hash for video_hash in keys if video_hash in when]
        assert order == sorted(order, key=when.__getitem__)


def moment(lab: RunningLab, video_hash: str, kind: str) -> int:
    """The number of the thumbnail's first event of that kind."""
    events = lab.store.events(video_hash)
    return next(one.id for one in events if (one.kind, one.stage) == (kind, THUMBNAIL.name))
