"""The observer and the lesson's own topics on a real Kafka: they read all, and leave nothing behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.waiting import until
from vidlab.errors import DependencyAway, NotThere
from vidlab.lessons.groups import ANSWER, Groups, Watch
from vidlab.lessons.keyed_topic import KeyedTopic, moved, overtakes, per_partition
from vidlab.lessons.observer import Observer
from vidlab.settings import Settings


@pytest.fixture
def kafka_settings(kafka: str) -> Settings:
    return Settings(kafka=kafka, process="test.1")


@pytest.fixture
def topic(kafka_settings: Settings) -> Iterator[KeyedTopic]:
    with KeyedTopic(kafka_settings, 3) as made:
        yield made


def topics(settings: Settings) -> set[str]:
    return set(Groups(settings).admin.list_topics(timeout=ANSWER).topics)


def steps(observer: Observer, key: str) -> list[int]:
    return [note.offset for note in observer.notes if note.key == key]


def test_it_reads_what_was_there_and_what_comes(kafka_settings: Settings, topic: KeyedTopic) -> None:
    topic.post(["a", "b", "a"])
    with Observer(kafka_settings, topic.name) as observer:
        observer.wait_for_count(3)
        topic.post(["b"])
        observer.wait_for_count(4)
        assert observer.joined_at is not None
        assert sorted(observer.table["key"]) == ["a", "a", "b", "b"]
        assert [note.posted_at < observer.joined_at for note in observer.notes] == [True, True, True, False]
    assert all(note.posted_at <= note.seen_at for note in observer.notes)
    assert steps(observer, "a") == sorted(steps(observer, "a"))


def test_it_commits_what_it_noted(kafka_settings: Settings, topic: KeyedTopic) -> None:
    posted = topic.post(["a"] * 5)
    with Observer(kafka_settings, topic.name) as observer:
        observer.wait_for_count(5)
        at = posted[0].partition
        until(lambda: observer.groups.committed(observer.group, topic.name).get(at) == 5, "all are committed")


def test_it_reads_everything_again_when_it_goes_back(kafka_settings: Settings, topic: KeyedTopic) -> None:
    posted = topic.post(["a", "b", "c", "a"])
    with Observer(kafka_settings, topic.name) as observer:
        observer.wait_for_count(4)
        observer.replay()
        observer.wait_for_count(4)
        topic.post(["a"])
        observer.wait_for_count(5)
    places = [(note.partition, note.offset) for note in observer.notes]
    assert len(set(places)) == 5
    assert {(one.partition, one.offset) for one in posted} < set(places)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_its_group_and_its_thread_are_gone_when_it_is_interrupted(
    kafka_settings: Settings, topic: KeyedTopic, error: type[BaseException]
) -> None:
    observer = Observer(kafka_settings, topic.name)
    with pytest.raises(error):
        _broken_off(observer, error)
    assert observer.groups.names(observer.group) == []
    assert observer.group not in [thread.name for thread in threading.enumerate()]


def _broken_off(observer: Observer, error: type[BaseException]) -> None:
    with observer:
        assert observer.groups.names(observer.group) == [observer.group]
        raise error


def test_a_group_with_members_is_not_removed(kafka_settings: Settings, topic: KeyedTopic) -> None:
    groups = Groups(kafka_settings)
    with Observer(kafka_settings, topic.name) as observer, pytest.MonkeyPatch.context() as patch:
        patch.setattr("vidlab.lessons.groups.LEFT", 0.3)
        with pytest.raises(NotThere, match=observer.group):
            groups.forget(observer.group)
        assert groups.look(observer.group).held == {"observer": (0, 1, 2)}


def test_what_it_waits_for_in_vain_is_told(kafka_settings: Settings, topic: KeyedTopic) -> None:
    with Observer(kafka_settings, topic.name) as observer, pytest.raises(NotThere, match="1 messages"):
        observer.wait_for_count(1, timeout=0.2)


def test_two_members_of_a_group_share_the_partitions(kafka_settings: Settings, topic: KeyedTopic) -> None:
    groups, group = Groups(kafka_settings), f"lesson-fanout-{uuid4().hex[:8]}"
    with Observer(kafka_settings, topic.name, group=group, name="one"), Watch(groups, group) as watch:
        with Observer(kafka_settings, topic.name, group=group, name="two"):
            watch.until_settled(2, 3)
            assert sorted(len(mine) for mine in watch.looks[-1].held.values()) == [1, 2]
        watch.until_settled(1, 3)
    assert list(watch.table.iloc[0])[1:3] == ["stable", "0 1 2"]
    groups.forget(group)
    assert groups.look(group).held == {}


# -- topics


def test_a_topic_is_gone_when_its_block_is_interrupted(kafka_settings: Settings) -> None:
    made = KeyedTopic(kafka_settings)
    with pytest.raises(KeyboardInterrupt):
        _interrupted(made)
    until(lambda: made.name not in topics(kafka_settings), "the topic is gone")


def _interrupted(made: KeyedTopic) -> None:
    with made:
        assert made.name in topics(made.settings)
        raise KeyboardInterrupt


def test_a_key_keeps_messages_together_and_in_order(topic: KeyedTopic) -> None:
    posted = topic.post(["a", "b", "c"] * 10)
    assert len({(one.about, one.partition) for one in posted}) == 3
    assert overtakes(topic.read()) == 0


def test_without_a_key_messages_are_spread_and_overtake_each_other(topic: KeyedTopic) -> None:
    posted = topic.post(["a"] * 60, keyed=False)
    assert min(per_partition(posted, 3)) > 0
    assert overtakes(topic.read()) > 0
    assert sum(per_partition(topic.read(), 3)) == 60


def test_with_more_partitions_keys_stand_elsewhere(topic: KeyedTopic) -> None:
    users = [f"user {number}" for number in range(40)]
    before = topic.post(users)
    assert moved(before, topic.post(users)) == 0
    topic.grow(6)
    assert 0 < moved(before, topic.post(users)) < 1
    with pytest.raises(DependencyAway):
        topic.grow(2)
