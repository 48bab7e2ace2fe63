"""News of changes: what a transaction changed is told after its commit, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from vidlab.announce import MOST, Announcer
from vidlab.errors import LeaseLost
from vidlab.settings import Settings
from vidlab.store import Store
from vidlab.store.migrate import migrate


@pytest.fixture
def told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """What was announced, a set for each transaction."""
    found: list[set[str]] = []
    monkeypatch.setattr("vidlab.announce.Announcer.tell", lambda _self, changed: found.append(set(changed)))
    return found


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = Store(settings, announce=True)
    migrate(opened.database)
    yield opened
    opened.close()


def create(store: Store) -> str:
    names = {"filename": "a.mp4", "extension": "mp4", "title": "a"}
    return store.create_upload(total_chunks=1, idempotency_key=None, **names).video_hash


def test_each_change_of_a_video_is_announced(told: list[set[str]], store: Store) -> None:
    video_hash = create(store)
    store.finalize(video_hash, source_etag="x", bytes=3)
    assert told == [{video_hash}, {video_hash}]


def test_what_was_rolled_back_is_not(told: list[set[str]], store: Store) -> None:
    video_hash = create(store)
    told.clear()
    with pytest.raises(LeaseLost):
        _fail_after_telling(store, video_hash)
    assert told == []


def _fail_after_telling(store: Store, video_hash: str) -> None:
    with store.database.write() as connection:
        store.tell(connection, "claimed", video_hash)
        raise LeaseLost(process="p", stage="s", video_hash=video_hash)


def test_who_does_not_serve_the_lab_announces_nothing(told: list[set[str]], settings: Settings) -> None:
    with closing(Store(settings)) as silent:
        migrate(silent.database)
        create(silent)
    assert told == []


def test_who_hears_of_a_change_finds_it_in_the_database(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    with closing(Store(settings)) as reader:

        def look(_announcer: object, changed: set[str]) -> None:
            seen.extend(reader.video(video_hash).video_hash for video_hash in changed)

        monkeypatch.setattr("vidlab.announce.Announcer.tell", look)
        with closing(Store(settings, announce=True)) as writer:
            migrate(writer.database)
            made = create(writer)
    assert seen == [made]


def test_more_than_can_be_told_is_left_to_the_looks_of_those_who_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    announcer = Announcer("redis://127.0.0.1:1/0")
    monkeypatch.setattr("threading.Thread.start", lambda _thread: None)  # nobody takes what waits
    for number in range(3 * MOST):
        announcer.tell({str(number)})
    assert len(announcer._waiting) == MOST
