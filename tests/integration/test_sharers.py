"""Consumers and share groups on the real Kafka of a lab, beside workers on a Redis of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psutil
import pytest
import redis
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests import waiting
from vidlab.errors import NotThere
from vidlab.face import Lab
from vidlab.face.waiting import until
from vidlab.lessons.groups import PREFIX
from vidlab.lessons.hold_up import LONG, MESSAGES, consumer_works, hand_over, share_group_works
from vidlab.lessons.leftovers import tidy
from vidlab.lessons.own_topic import OwnTopic
from vidlab.lessons.sharer import value_of
from vidlab.lessons.sharers import LOCK, MORE, RECORDS, Sharers, lose_a_sharer
from vidlab.naive.habits import Habits
from vidlab.settings import Settings

BEHIND = sum(partition == 0 for partition, _ in MESSAGES) - 1


@pytest.fixture
def face(broker: redis.Redis, redis_of_the_session: str, kafka: str, tmp_path: Path) -> Iterator[Lab]:
    """What the lessons ask of a lab here; at the end no topic of theirs is left."""
    settings = Settings(state=tmp_path, redis_url=redis_of_the_session, kafka=kafka)
    yield cast(Lab, SimpleNamespace(settings=settings))
    waiting.until(lambda: not topics(kafka), "Kafka to forget the lesson's topics")  # it does so after its answer


def topics(kafka: str) -> list[str]:
    """The lessons' topics that are there."""
    return [
        name
        for name in AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=10).topics
        if name.startswith(PREFIX)
    ]


def delete_group(kafka: str, group: str) -> str:
    """What Kafka says when a group is to be deleted."""
    admin = AdminClient({"bootstrap.servers": kafka})  # to be kept: its answers end with it
    (answer,) = admin.delete_consumer_groups([group]).values()
    try:
        answer.result(10)
    except KafkaException as error:
        return str(error.args[0].name())
    return "deleted"


def test_a_long_task_holds_up_its_partition_and_no_other(face: Lab) -> None:
    run = consumer_works(face)
    assert run.behind == BEHIND
    assert min(row.waited for row in run.rows[1:] if row.partition == 0) >= LONG / 2
    assert max(row.waited for row in run.rows if row.partition == 1) < LONG


def test_handed_over_nobody_waits_for_it_when_workers_take_one_at_a_time(face: Lab) -> None:
    run = hand_over(face, Habits(prefetch=1, late=True))
    assert run.behind == 0
    assert {row.number for row in run.rows} == set(range(len(MESSAGES)))


def test_handed_over_some_wait_for_it_when_workers_fetch_ahead(face: Lab) -> None:
    assert 0 < hand_over(face, Habits()).behind <= 4


def test_acknowledged_early_one_waits_behind_it(face: Lab) -> None:
    assert hand_over(face, Habits(prefetch=1)).behind == 1


def test_in_a_share_group_nobody_waits_for_it_unless_each_member_has_a_partition(face: Lab) -> None:
    alone = share_group_works(face, partitions=1)
    assert (alone.behind, len(alone.rows)) == (0, len(MESSAGES))
    assert share_group_works(face, partitions=2).behind == BEHIND


def test_the_lock_decides_for_how_long_a_silent_sharer_keeps_its_record(face: Lab) -> None:
    assert lose_a_sharer(face, lock=2 * LOCK).paused.back_after >= 2 * LOCK - 0.7


def test_a_silent_sharer_keeps_its_lock_and_a_dead_one_does_not(face: Lab) -> None:
    shared = lose_a_sharer(face)
    assert shared.done == shared.records == RECORDS + MORE
    assert (shared.paused.deliveries, shared.killed.deliveries) == (2, 2)
    assert shared.paused.back_after >= LOCK - 0.7  # it was locked before it was paused
    assert shared.killed.back_after < shared.paused.back_after
    assert shared.refused >= 1
    assert len(shared.given) == 2


def interrupted(settings: Settings, met: list[Sharers]) -> None:
    """A learner who stops the cell while a sharer is at work."""
    with Sharers(settings) as sharers:
        met.append(sharers)
        sharers.topic.post([(0, value_of(0, 60.0))])
        until(lambda: bool(sharers.begun()), "somebody to begin")
        raise KeyboardInterrupt


def test_nothing_is_left_when_it_was_interrupted(face: Lab, kafka: str) -> None:
    met: list[Sharers] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(face.settings, met)
    (sharers,) = met
    assert sharers.team.names == []
    assert delete_group(kafka, sharers.group) == "GROUP_ID_NOT_FOUND"
    assert not [one for one in psutil.process_iter(["cmdline"]) if sharers.group in str(one.info["cmdline"])]


def test_a_topic_goes_when_its_block_fails(face: Lab, kafka: str) -> None:
    def fail() -> None:
        with OwnTopic(face.settings, 2) as topic:
            until(lambda: topic.name in topics(kafka), "the topic to be there")
            until(lambda: False, "what never is", 0.1)

    with pytest.raises(NotThere):
        fail()
    waiting.until(lambda: not topics(kafka), "Kafka to forget the topic")


def test_what_a_killed_kernel_left_is_removed_whatever_lesson_it_was(face: Lab, kafka: str) -> None:
    OwnTopic(face.settings, 1).__enter__()
    waiting.until(lambda: bool(topics(kafka)), "the topic to be there")
    assert tidy(face) == 1
