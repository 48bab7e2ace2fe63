"""What the watcher of all clients makes of the database and of silent servers."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from vidlab.api.live import watcher as module
from vidlab.api.live.looks import Look
from vidlab.api.live.watcher import Listener, Watcher, _History, _Journal
from vidlab.errors import DependencyAway

GUARD = 5.0  # seconds
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def event(number: int) -> Any:
    at = BEGAN + timedelta(seconds=number)
    rest = dict.fromkeys(("stage", "process", "attempt", "detail"))
    return SimpleNamespace(id=number, at=at, kind="queued", video_hash="a", **rest)


def view(video_hash: str, ended: bool = False) -> Mock:
    record = {"video_hash": video_hash, "ended_at": "now" if ended else None}
    return Mock(video_hash=video_hash, model_dump=Mock(return_value=record))


@pytest.fixture
def store() -> Mock:
    return Mock(going_on=Mock(return_value=[]), videos=Mock(return_value=[]), newest_events=Mock(return_value=[]))


@pytest.fixture
def watcher(store: Mock, monkeypatch: pytest.MonkeyPatch) -> Watcher:
    """Over a database that is a stub, and no servers."""
    monkeypatch.setattr(module, "LOOKS", ())
    monkeypatch.setattr(module, "lab_events", lambda parts, after: [])
    monkeypatch.setattr(module, "shown_all", lambda parts, videos: [view(video.video_hash) for video in videos])
    return Watcher(Mock(store=store))


def video(number: int) -> SimpleNamespace:
    return SimpleNamespace(id=number, video_hash=f"video-{number}")


# -- snapshots


def test_a_snapshot_has_those_that_go_on_however_old_beside_the_newest(watcher: Watcher, store: Mock) -> None:
    store.going_on.return_value = [video(1), video(9)]
    store.videos.return_value = [video(9), video(8)]
    assert [one["video_hash"] for one in watcher._all()["videos"]] == ["video-9", "video-8", "video-1"]


def test_a_snapshot_has_the_newest_events_the_last_one_last(
    watcher: Watcher, store: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NEWEST", 3)
    store.newest_events.return_value = [event(2), event(3), event(4)]
    old, new = ({"id": f"lab-{n}", "at": (BEGAN + timedelta(seconds=n)).isoformat()} for n in (1, 5))
    monkeypatch.setattr(module, "lab_events", lambda parts, after: [old, new])
    assert [one["id"] for one in watcher._events()] == ["video-3", "video-4", "lab-5"]


def test_a_snapshot_does_not_wait_for_a_server_that_is_silent(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()
    silent = Look("queues", "redis", 1.0, lambda parts: answered.wait(GUARD))
    monkeypatch.setattr(module, "ANSWER", 0.05)

    async def now() -> tuple[Any, bool]:
        answer = await watcher._now(silent)
        late = answered.is_set()
        answered.set()
        return answer, late

    assert asyncio.run(now()) == (None, False)


# -- what changes


def test_a_change_that_came_while_the_database_was_away_is_told_when_it_is_back(
    watcher: Watcher, store: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL", 0.01)
    monkeypatch.setattr(module, "GATHER", 0.0)
    away = DependencyAway(name="database", why="locked")
    store.some.side_effect = [away, away, [video(1)]]
    listener = Listener()

    async def told() -> list[dict[str, Any]]:
        watcher._listeners.add(listener)
        watcher._note(["video-1"])
        telling = asyncio.create_task(watcher._tell_videos())
        try:
            return [await asyncio.wait_for(listener.outbox.next(), GUARD) for _ in range(3)]
        finally:
            telling.cancel()

    gone, back, changed = asyncio.run(told())
    assert (gone["type"], back["type"]) == ("away", "back")
    assert changed == {"type": "video", "video": {"video_hash": "video-1", "ended_at": None}}


def test_those_that_go_on_are_looked_at_though_no_news_came(
    watcher: Watcher, store: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL", 0.01)
    store.going_on.return_value = [video(1)]

    async def noted() -> set[str]:
        sweeping = asyncio.create_task(watcher._sweep())
        try:
            await asyncio.wait_for(watcher._news.wait(), GUARD)
        finally:
            sweeping.cancel()
        return watcher._changed

    assert asyncio.run(noted()) == {"video-1"}


# -- events


def test_what_happened_to_videos_is_told_once_and_only_from_now_on() -> None:
    events = [event(1), event(2)]
    store = Mock(
        newest_events=lambda limit: events[-limit:], events=lambda after: [one for one in events if one.id > after]
    )
    history = _History(Mock(store=store))
    assert history.news() == []
    events.append(event(3))
    assert [one["id"] for one in history.news()] == ["video-3"]
    assert history.news() == []


def test_what_happened_to_processes_is_told_once_and_only_from_now_on(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [{"number": 1}, {"number": 2}]
    monkeypatch.setattr(module, "lab_events", lambda parts, after: [one for one in events if one["number"] > after])
    journal = _Journal(Mock())
    assert journal.news() == []
    events.append({"number": 3})
    assert journal.news() == [{"number": 3}]
    assert journal.news() == []
