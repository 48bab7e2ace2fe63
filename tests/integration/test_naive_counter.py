"""The naive counter in a real Redis and a real Azurite: it fails as the notebook says, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from unittest.mock import Mock

import pytest
import redis
from confluent_kafka.admin import AdminClient

from tests.azurite import Azurite
from vidlab.errors import DependencyAway, WrongState
from vidlab.naive.counter import CONTAINER, PREFIX, TOPIC, NaiveUploads, sweep
from vidlab.settings import Settings
from vidlab.storage import Storage

PIECES = (b"first ", b"second ", b"third")


@pytest.fixture
def naive_settings(azurite: Azurite, kafka: str, queue_settings: Settings) -> Settings:
    return queue_settings.model_copy(update={"storage": azurite.settings().storage, "kafka": kafka})


@pytest.fixture
def naive(naive_settings: Settings) -> Iterator[NaiveUploads]:
    with NaiveUploads(naive_settings) as made:
        yield made


def send(naive: NaiveUploads, *order: int) -> str:
    """Chunks of a file of three, in that order."""
    return [naive.receive("film", 3, number, PIECES[number]) for number in order][-1]


def left(settings: Settings, broker: redis.Redis) -> tuple[int, int, int]:
    """How many keys, blobs and topics there are."""
    storage = Storage(settings.model_copy(update={"container": CONTAINER}))
    storage.ensure_container()
    blobs = len(storage.list_paths(""))
    storage.close()
    topics = [name for name in AdminClient(dict(settings.kafka_client)).list_topics(timeout=10).topics if TOPIC in name]
    return len(list(broker.scan_iter(f"{PREFIX}*"))), blobs, len(topics)


def test_chunks_in_any_order_come_out_right(naive: NaiveUploads) -> None:
    upload = send(naive, 2, 0, 1)
    assert naive.finalize(upload) == b"".join(PIECES)
    assert naive.messages() == 1


def test_a_chunk_that_comes_twice_stands_in_the_way_for_ever(naive: NaiveUploads) -> None:
    upload = send(naive, 0, 1, 1, 2)
    for _ in range(2):
        with pytest.raises(WrongState, match="4/3 chunks are there"):
            naive.finalize(upload)


def test_a_chunk_that_comes_twice_hides_one_that_is_missing(naive: NaiveUploads) -> None:
    assert naive.finalize(send(naive, 0, 0, 2)) == PIECES[0] + PIECES[2]


def test_of_many_at_once_some_are_not_counted(naive: NaiveUploads) -> None:
    count, start = 24, Barrier(24)

    def receive(number: int) -> str:
        start.wait(30)
        return naive.receive("film", count, number, b"piece")

    with ThreadPoolExecutor(count) as pool:
        uploads = set(pool.map(receive, range(count)))
    (upload,) = uploads
    assert naive.counted(upload) < count


@pytest.mark.parametrize(("order", "counted"), [((0, 1, 2), 3), ((0, 1, 1, 2), 4)])
def test_adding_in_one_command_still_counts_what_came(
    naive_settings: Settings, order: tuple[int, ...], counted: int
) -> None:
    with NaiveUploads(naive_settings, atomic=True) as naive, ThreadPoolExecutor(4) as pool:
        (upload,) = set(pool.map(lambda number: naive.receive("film", 3, number, PIECES[number]), order))
        assert naive.counted(upload) == counted


def test_a_title_of_two_users_mixes_their_files(naive: NaiveUploads) -> None:
    hers, his = naive.receive("holiday", 2, 0, b"hers"), naive.receive("holiday", 2, 1, b"his")
    assert hers == his
    assert naive.finalize(hers) == b"hershis"


def test_finalized_again_it_is_refused(naive: NaiveUploads) -> None:
    upload = send(naive, 0, 1, 2)
    naive.finalize(upload)
    with pytest.raises(WrongState, match="finalized already"):
        naive.finalize(upload)


def test_what_kafka_did_not_take_is_never_sent(naive: NaiveUploads, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = send(naive, 0, 1, 2)
    with monkeypatch.context() as away:
        away.setattr(naive.bus, "publish", Mock(side_effect=DependencyAway(name="kafka", why="it is away")))
        with pytest.raises(DependencyAway):
            naive.finalize(upload)
    with pytest.raises(WrongState, match="finalized already"):
        naive.finalize(upload)
    assert naive.messages() == 0


def test_each_byte_goes_through_it_three_times(naive: NaiveUploads) -> None:
    file = naive.finalize(send(naive, 0, 1, 2))
    assert naive.moved == 3 * len(file)


def interrupted(settings: Settings, broker: redis.Redis) -> None:
    """A learner who stops the cell while chunks are there."""
    with NaiveUploads(settings) as naive:
        send(naive, 0, 1)
        assert left(settings, broker) == (1, 2, 1)
        raise KeyboardInterrupt


def test_nothing_is_left_when_it_was_interrupted(naive_settings: Settings, broker: redis.Redis) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(naive_settings, broker)
    assert left(naive_settings, broker) == (0, 0, 0)
    assert sweep(naive_settings) == 0


def test_what_a_killed_kernel_left_is_swept(naive_settings: Settings, broker: redis.Redis) -> None:
    broker.set("of somebody else", 1)
    send(NaiveUploads(naive_settings), 0, 1)
    assert sweep(naive_settings) == 3
    assert left(naive_settings, broker) == (0, 0, 0)
    assert broker.exists("of somebody else")
    assert sweep(naive_settings) == 0
