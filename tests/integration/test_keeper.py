"""The keeper's rounds, with a real database, Redis, Azurite and Kafka."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
import redis
from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka import Message as Record

from tests.integration.test_store import claimed, finalized, kinds, older, preprocessed, state_of, uploaded
from vidlab.bus import Bus
from vidlab.errors import DependencyAway
from vidlab.events import read_message
from vidlab.keeper import Keeper
from vidlab.models import Lease, State, Status
from vidlab.paths import original_path, source_path
from vidlab.profiles import PARTITIONS, Topic
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.store import Store

POLLS = Settings().beats_missed
DAY = 24 * 3600.0  # seconds
ANSWER = 10.0  # seconds


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: object) -> str:
    """What is tested here is the keeper: the store's own tests have both databases."""
    return f"sqlite:///{tmp_path}/vidlab.db"


@pytest.fixture
def keeper(queue_settings: Settings, storage: Storage, store: Store) -> Iterator[Keeper]:
    """A keeper between rounds: a test goes each of them itself."""
    own = {"storage": storage.settings.storage, "container": storage.settings.container, "process": "keeper"}
    made = Keeper(queue_settings.model_copy(update=own))
    yield made
    made.store.close()
    made.storage.close()


def go(round_: Callable[[], None], times: int) -> None:
    for _ in range(times):
        round_()


# -- sending what is missing


def test_a_job_that_no_queue_holds_is_sent_again_at_the_second_look_and_once(
    keeper: Keeper, store: Store, broker: redis.Redis
) -> None:
    video_hash = preprocessed(store)
    store.enqueue(video_hash, "360p", "source")
    keeper.send_missing()
    assert keeper.queues.waiting() == set()
    go(keeper.send_missing, 5)
    assert keeper.queues.lengths()["video_processing_360p"] == 1
    assert kinds(store, video_hash).count("sent_again") == 1

    broker.flushall()  # Redis was started again, and is empty
    keeper.send_missing()
    assert keeper.queues.waiting() == set()
    go(keeper.send_missing, 5)
    assert keeper.queues.lengths()["video_processing_360p"] == 1
    assert kinds(store, video_hash).count("sent_again") == 2


def test_what_waits_in_a_queue_or_is_worked_on_is_not_sent_again(keeper: Keeper, store: Store) -> None:
    video_hash = preprocessed(store)
    store.enqueue(video_hash, "360p", "source")
    keeper.queues.send(video_hash, "360p")
    claimed(store, video_hash, "480p")
    go(keeper.send_missing, 5)
    assert {queue for queue, length in keeper.queues.lengths().items() if length} == {"video_processing_360p"}
    assert keeper.queues.lengths()["video_processing_360p"] == 1
    assert "sent_again" not in kinds(store, video_hash)


def test_a_task_that_is_taken_between_two_looks_is_not_sent_again(
    keeper: Keeper, store: Store, broker: redis.Redis
) -> None:
    video_hash = preprocessed(store)
    store.enqueue(video_hash, "360p", "source")
    keeper.queues.send(video_hash, "360p")
    broker.lpop("video_processing_360p")
    keeper.send_missing()
    assert store.claim(video_hash, "360p")
    go(keeper.send_missing, 5)
    assert keeper.queues.waiting() == set()


# -- sending what is due


def test_a_job_is_sent_when_its_pause_is_over_and_not_before(keeper: Keeper, store: Store) -> None:
    video_hash = preprocessed(store)
    store.fail(claimed(store, video_hash, "360p"), "odd", permanent=False)
    go(keeper.send_due, 3)
    assert keeper.queues.waiting() == set()
    over(store)
    go(keeper.send_due, 3)
    assert keeper.queues.waiting() == {(video_hash, "360p")}
    assert kinds(store, video_hash).count("sent_again") == 1


def over(store: Store) -> None:
    """Let all pauses be over."""
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET retry_at = '2000-01-01' WHERE retry_at IS NOT NULL")


def test_what_is_retried_is_sent_by_the_keeper_and_only_that(keeper: Keeper, store: Store) -> None:
    video_hash = preprocessed(store)
    for stage in ("144p", "360p", "480p", "720p", "1080p", "thumbnail"):
        lease = claimed(store, video_hash, stage)
        if stage == "480p":
            store.fail(lease, "odd", permanent=True)
        else:
            store.finish_rendition(lease, {})
    store.retry(video_hash)
    go(keeper.send_due, 2)
    assert keeper.queues.waiting() == {(video_hash, "480p")}


# -- leases


def test_a_lease_without_a_new_beat_is_freed_and_its_job_sent(keeper: Keeper, store: Store) -> None:
    video_hash = preprocessed(store)
    claimed(store, video_hash, "360p")
    go(keeper.free_leases, POLLS)
    assert state_of(store, video_hash, "360p") == State.RUNNING
    keeper.free_leases()
    assert state_of(store, video_hash, "360p") == State.QUEUED
    assert keeper.queues.waiting() == {(video_hash, "360p")}


def test_a_lease_that_beats_now_and_then_is_kept(keeper: Keeper, store: Store) -> None:
    video_hash = preprocessed(store)
    lease = claimed(store, video_hash, "360p")
    for _ in range(3):
        go(keeper.free_leases, POLLS)
        store.beat(lease, 0.5, None)
    assert state_of(store, video_hash, "360p") == State.RUNNING


def test_polls_that_the_database_did_not_answer_count_for_nothing(hasty: None, keeper: Keeper, store: Store) -> None:
    video_hash = preprocessed(store)
    claimed(store, video_hash, "360p")
    go(keeper.free_leases, POLLS)
    with locked(store):
        for _ in range(POLLS):
            with pytest.raises(DependencyAway, match="locked"):
                keeper.free_leases()
    go(keeper.free_leases, POLLS)  # nobody could beat meanwhile: all begin anew
    assert state_of(store, video_hash, "360p") == State.RUNNING
    keeper.free_leases()
    assert state_of(store, video_hash, "360p") == State.QUEUED


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Somebody keeps all writers out of the SQLite file."""
    path = store.settings.database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


# -- uploads that nobody finishes


def stage(storage: Storage, path: str) -> None:
    storage.stage_chunk(path, 0, io.BytesIO(b"abandoned"), 9)


def test_an_upload_that_nobody_finished_expires_and_its_chunks_are_gone(
    keeper: Keeper, store: Store, storage: Storage
) -> None:
    old, young = uploaded(store).video_hash, uploaded(store).video_hash
    for video_hash in (old, young):
        stage(storage, original_path(video_hash, "mp4"))
    older(store, old, DAY)
    keeper.expire_uploads()
    assert store.video(old).status == Status.FAILED
    assert store.video(old).error_reason == "The upload was not finished within 24 hours; send the file again."
    assert storage.staged_chunks(original_path(old, "mp4")) == {}
    assert store.video(young).status == Status.UPLOADING
    assert storage.staged_chunks(original_path(young, "mp4")) == {0: 9}


def test_an_upload_that_storage_refuses_stops_none_behind_it(keeper: Keeper, store: Store, storage: Storage) -> None:
    first, second = uploaded(store).video_hash, uploaded(store).video_hash
    for video_hash in (first, second):
        older(store, video_hash, DAY)
    refuse(storage, original_path(first, "mp4"))
    keeper.expire_uploads()
    assert store.video(first).status == Status.UPLOADING
    assert store.video(second).status == Status.FAILED


def refuse(storage: Storage, path: str) -> None:
    """Let storage refuse to discard this upload: an empty blob that has a snapshot."""
    client = storage.container.get_blob_client(path)
    client.commit_block_list([])
    client.create_snapshot()


# -- deleted videos


@pytest.fixture
def lease(store: Store, storage: Storage) -> Lease:
    """That of a worker whose video was deleted while it was at work."""
    video_hash = preprocessed(store)
    storage.put_fenced(source_path(video_hash), b"x", fence=1, content_type="video/mp4")
    lease = claimed(store, video_hash, "360p")
    store.delete(video_hash)
    return lease


def is_there(store: Store, storage: Storage, video_hash: str) -> bool:
    """Its row and its blobs; one without the other would be neither."""
    row = [video for video, _ in store.deleting() if video.video_hash == video_hash]
    assert bool(row) == bool(storage.list_paths(f"{video_hash}/"))
    return bool(row)


def test_a_deleted_video_stays_as_long_as_its_worker_beats(
    keeper: Keeper, store: Store, storage: Storage, lease: Lease
) -> None:
    for _ in range(2 * POLLS):
        keeper.remove_deleted()
        assert not store.beat(lease, 0.5, None)
    go(keeper.remove_deleted, POLLS)
    assert is_there(store, storage, lease.video_hash)
    keeper.remove_deleted()
    assert not is_there(store, storage, lease.video_hash)


def test_a_deleted_video_goes_as_soon_as_its_worker_has_let_go(
    keeper: Keeper, store: Store, storage: Storage, lease: Lease
) -> None:
    keeper.remove_deleted()
    assert is_there(store, storage, lease.video_hash)
    store.let_go(lease)
    keeper.remove_deleted()
    assert not is_there(store, storage, lease.video_hash)
    assert store.jobs(lease.video_hash) == []
    assert kinds(store, lease.video_hash)[-1] == "deleted"


def test_a_deleted_upload_leaves_no_chunk(keeper: Keeper, store: Store, storage: Storage) -> None:
    video_hash = uploaded(store).video_hash
    stage(storage, original_path(video_hash, "mp4"))
    store.delete(video_hash)
    keeper.remove_deleted()
    assert store.deleting() == []
    assert storage.staged_chunks(original_path(video_hash, "mp4")) == {}


def test_a_deleted_video_that_storage_refuses_stops_none_behind_it(
    keeper: Keeper, store: Store, storage: Storage
) -> None:
    first, second = uploaded(store).video_hash, uploaded(store).video_hash
    refuse(storage, original_path(first, "mp4"))
    for video_hash in (first, second):
        store.delete(video_hash)
    keeper.remove_deleted()
    assert [video.video_hash for video, _ in store.deleting()] == [first]


# -- the outbox


def test_a_message_reaches_kafka_by_its_video_and_is_sent_once(
    keeper: Keeper, store: Store, kafka: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    video_hash = finalized(store)
    monkeypatch.setattr("vidlab.bus.DELIVERY_TIMEOUT", 0.5)
    keeper.bus = Bus(settings)  # it leads to no Kafka
    with pytest.raises(DependencyAway, match="1 messages wait in the outbox"):
        keeper.relay()
    monkeypatch.undo()
    assert len(store.unsent(10)) == 1
    assert "published" not in kinds(store, video_hash)
    keeper.bus = Bus(settings.model_copy(update={"kafka": kafka}))
    go(keeper.relay, 3)
    assert store.unsent(10) == []
    assert kinds(store, video_hash).count("published") == 1
    (record,) = records_of(kafka, Topic.PREPROCESSING, video_hash)
    assert read_message(Topic.PREPROCESSING, record.value()).video_hash == video_hash


def records_of(kafka: str, topic: str, key: str) -> list[Record]:
    """Those of a topic that have this key, up to its end."""
    config = {"bootstrap.servers": kafka, "group.id": "test-keeper", "enable.auto.commit": False}
    consumer = Consumer(config | {"auto.offset.reset": "earliest", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    ends, found = 0, []
    while ends < PARTITIONS:
        (record,) = consumer.consume(1, ANSWER)
        error = record.error()
        ends += bool(error and error.code() == KafkaError._PARTITION_EOF)
        found += [record] if not error and record.key() == key.encode() else []
    consumer.close()
    return found
