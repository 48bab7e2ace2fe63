"""What the watcher of all clients makes of the database and of silent servers."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from vidlab.api.live import events, snapshot
from vidlab.api.live import watcher as module
from vidlab.api.live.events import History, Journal
from vidlab.api.live.looks import Look
from vidlab.api.live.watcher import Listener, Watcher
from vidlab.errors import DependencyAway
from vidlab.lab.journal import Journal as SupervisorsJournal

GUARD = 5.0  # seconds
NO_FAULTS = Look("faults", "supervisor", 0.01, lambda parts: [])
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def event(number: int, video_hash: str = "a", **more: Any) -> Any:
    at = BEGAN + timedelta(seconds=number)
    rest = dict.fromkeys(("stage", "process", "attempt", "detail"))
    return SimpleNamespace(**{"id": number, "at": at, "kind": "queued", "video_hash": video_hash, **rest, **more})


def shown(video: Any) -> Mock:
    """The view of a video."""
    return Mock(video_hash=video.video_hash, model_dump=Mock(return_value=record(video.video_hash, video.ended_at)))


def record(video_hash: str, ended_at: str | None = None) -> dict[str, Any]:
    return {"video_hash": video_hash, "ended_at": ended_at, "steps": [], "profiles": []}


@pytest.fixture
def store() -> Mock:
    nothing = dict.fromkeys(("going_on", "videos", "some", "events", "newest_events"))
    return Mock(**{name: Mock(return_value=[]) for name in nothing})


@pytest.fixture
def watcher(store: Mock, monkeypatch: pytest.MonkeyPatch) -> Watcher:
    """Over a database that is a stub, and no servers; it does all that it does soon."""
    for name in ("POLL", "SWEEP", "GATHER", "EAR"):
        monkeypatch.setattr(module, name, 0.01)
    monkeypatch.setattr(module, "LOOKS", (NO_FAULTS,))
    for where in (events, snapshot):
        monkeypatch.setattr(where, "lab_events", lambda parts, after: [])
    monkeypatch.setattr(snapshot, "shown_all", lambda parts, videos: [shown(video) for video in videos])
    return Watcher(Mock(store=store, settings=Mock(redis_url="redis://127.0.0.1:1/0")))


def video(number: int, ended_at: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(id=number, video_hash=f"video-{number}", ended_at=ended_at)


def looks(monkeypatch: pytest.MonkeyPatch, *asks: Callable[[Any], Any], server: str = "kafka") -> None:
    """These are looked at beside the faults."""
    added = (Look(f"look-{number}", server, 0.01, ask) for number, ask in enumerate(asks))
    monkeypatch.setattr(module, "LOOKS", (NO_FAULTS, *added))


async def told(listener: Listener, fits: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The next message that fits."""
    async with asyncio.timeout(GUARD):
        while not fits(message := await listener.outbox.next()):
            pass
    return message


def of_type(kind: str) -> Callable[[dict[str, Any]], bool]:
    return lambda message: message["type"] == kind


# -- snapshots


def test_a_snapshot_has_those_that_go_on_however_old_beside_the_newest(watcher: Watcher, store: Mock) -> None:
    store.going_on.return_value = [video(1), video(9)]
    store.videos.return_value = [video(9), video(8)]
    found = snapshot.newest(watcher.parts)["videos"]
    assert [one["video_hash"] for one in found] == ["video-9", "video-8", "video-1"]


def test_a_snapshot_has_the_newest_events_the_last_one_last(
    watcher: Watcher, store: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "NEWEST", 3)
    store.newest_events.return_value = [event(2), event(3), event(4)]
    old, new = ({"id": f"lab-{n}", "at": (BEGAN + timedelta(seconds=n)).isoformat()} for n in (1, 5))
    monkeypatch.setattr(snapshot, "lab_events", lambda parts, after: [old, new])
    assert [one["id"] for one in snapshot.newest_events(watcher.parts)] == ["video-3-a", "video-4-a", "lab-5"]


def test_a_snapshot_does_not_wait_for_a_server_that_is_silent_and_says_who_it_is(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()
    looks(monkeypatch, lambda parts: answered.wait(GUARD))
    monkeypatch.setattr(module, "ANSWER", 0.05)

    async def now() -> tuple[dict[str, Any], bool]:
        found = await watcher.snapshot()
        late = answered.is_set()
        answered.set()
        return found, late

    found, late = asyncio.run(now())
    assert not late
    assert (found["look-0"], found["away"]) == (None, {"kafka": "no answer in 0 s"})


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (DependencyAway(name="redis", why="refused"), {"redis": "refused"}),
        (KeyError("offset"), {"kafka": "KeyError: 'offset'"}),
    ],
)
def test_a_snapshot_that_nobody_listens_beside_says_who_is_away(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch, error: Exception, away: dict[str, str]
) -> None:
    looks(monkeypatch, Mock(side_effect=error))
    found = asyncio.run(watcher.snapshot())
    assert (found["look-0"], found["faults"], found["away"]) == (None, [], away)


def test_a_snapshot_is_as_old_as_its_answers(watcher: Watcher, store: Mock) -> None:
    asked: list[datetime] = []

    def videos(limit: int) -> list[Any]:
        asked.append(datetime.now(UTC))
        return []

    store.videos.side_effect = videos
    assert datetime.fromisoformat(asyncio.run(watcher.snapshot())["at"]) >= asked[0]


# -- what changes


def test_a_change_that_came_while_the_database_was_away_is_told_when_it_is_back(watcher: Watcher, store: Mock) -> None:
    away = DependencyAway(name="database", why="locked")
    store.some.side_effect = [away, away, [video(1)]]
    listener = Listener()

    async def messages() -> list[dict[str, Any]]:
        watcher._listeners.add(listener)
        watcher._note(["video-1"])
        telling = asyncio.create_task(watcher._tell_videos())
        try:
            return [await asyncio.wait_for(listener.outbox.next(), GUARD) for _ in range(3)]
        finally:
            telling.cancel()

    gone, back, changed = asyncio.run(messages())
    assert (gone["type"], back["type"]) == ("away", "back")
    assert changed == {"type": "video", "video": record("video-1")}


def test_those_that_go_on_are_looked_at_though_no_news_came(watcher: Watcher, store: Mock) -> None:
    store.going_on.return_value = [video(1)]

    async def noted() -> set[str]:
        sweeping = asyncio.create_task(watcher._sweep())
        try:
            await asyncio.wait_for(watcher._news.wait(), GUARD)
        finally:
            sweeping.cancel()
        return watcher._changed

    assert asyncio.run(noted()) == {"video-1"}


def test_one_of_a_snapshot_that_ended_is_told_though_no_news_came(watcher: Watcher, store: Mock) -> None:
    store.going_on.return_value = store.videos.return_value = [video(1)]
    listener = Listener()

    async def end() -> str:
        async with watcher.heard_by(listener):
            assert [one["ended_at"] for one in (await watcher.snapshot())["videos"]] == [None]
            store.going_on.return_value, store.some.return_value = [], [video(1, "now")]
            return str((await told(listener, of_type("video")))["video"]["ended_at"])

    assert asyncio.run(end()) == "now"


def test_one_that_was_told_and_ended_is_told_once_more_and_no_further(
    watcher: Watcher, store: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL", 0.1)  # between sweeps; each reads what changed within GATHER
    store.going_on.return_value = store.some.return_value = [video(1)]
    listener = Listener()

    async def messages() -> list[str | None]:
        async with watcher.heard_by(listener):
            found = [await told(listener, of_type("video"))]
            store.some.return_value = [video(1, "now")]
            store.going_on.return_value = []
            found.append(await told(listener, of_type("video")))
            with suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    found.append(await told(listener, of_type("video")))
            assert watcher._told == {}, "nor is it remembered"
            return [one["video"]["ended_at"] for one in found]

    assert asyncio.run(messages()) == [None, "now"]


@pytest.mark.parametrize("only", [None, "video-1"])
def test_who_listens_hears_that_a_video_is_gone(watcher: Watcher, store: Mock, only: str | None) -> None:
    store.going_on.return_value = store.some.return_value = [video(1)]
    listener = Listener(only)

    async def gone() -> str:
        async with watcher.heard_by(listener):
            await told(listener, of_type("video"))
            store.going_on.return_value = store.some.return_value = []
            return str((await told(listener, of_type("gone")))["video_hash"])

    assert asyncio.run(gone()) == "video-1"


def test_what_happened_to_a_video_has_it_looked_at(watcher: Watcher) -> None:
    """Its announcement may be lost; and of one that has ended no sweep would find anything."""
    assert watcher._touched({"video_hash": "video-1", "stage": None}) == {"video-1"}
    assert watcher._touched({"video_hash": None, "stage": None}) == set()


def test_who_waits_in_the_same_queue_is_looked_at_too(watcher: Watcher) -> None:
    waits, works = ({"name": "144p", "place": place} for place in (2, None))
    watcher._told = {
        "behind": record("behind") | {"profiles": [waits]},
        "in work": record("in work") | {"profiles": [works]},
        "not known": None,
    }
    assert watcher._touched({"video_hash": "a", "stage": "144p"}) == {"a", "behind", "not known"}
    assert watcher._touched({"video_hash": "a", "stage": "360p"}) == {"a", "not known"}


# -- what fails


def test_a_look_that_fails_as_nobody_foresaw_is_told_and_goes_on(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers = iter([1, KeyError("offset"), 2])
    looks(monkeypatch, Mock(side_effect=lambda parts: raised(next(answers, 2))))
    listener = Listener()

    async def messages() -> list[dict[str, Any]]:
        async with watcher.heard_by(listener):
            kinds = ("look-0", "away", "back", "look-0")
            return [await told(listener, kafka_or(kind)) for kind in kinds]

    first, away, back, again = asyncio.run(messages())
    assert (first["look-0"], again["look-0"]) == (1, 2)
    assert (away["why"], back["name"]) == ("KeyError: 'offset'", "kafka")
    assert "KeyError" in caplog.text


def raised(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer


def kafka_or(kind: str) -> Callable[[dict[str, Any]], bool]:
    """Redis is away all the time here."""
    return lambda message: message["type"] == kind and message.get("name", "kafka") == "kafka"


@pytest.mark.parametrize("question", ["some", "going_on", "events"])
def test_a_database_that_fails_as_nobody_foresaw_loses_no_change(
    watcher: Watcher, store: Mock, question: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = {"some": [video(1)], "going_on": [video(1)], "events": [event(1, "video-1")]}[question]
    store.some.return_value = [video(1)]
    getattr(store, question).side_effect = [RuntimeError("broken"), *[answer] * 1000]
    listener = Listener()

    async def changed() -> dict[str, Any]:
        async with watcher.heard_by(listener):
            if question == "some":
                watcher._note(["video-1"])
            return await told(listener, of_type("video"))

    assert asyncio.run(changed())["video"]["video_hash"] == "video-1"
    assert "RuntimeError: broken" in caplog.text


def test_who_comes_while_the_last_one_leaves_is_told(watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    count = itertools.count()
    looks(monkeypatch, lambda parts: next(count))
    first, second, leaving = Listener(), Listener(), asyncio.Event()

    async def lingering() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await leaving.wait()

    async def listen() -> None:
        async with watcher.heard_by(first):
            await told(first, of_type("look-0"))

    async def both() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(watcher, "_sweep", lingering)
            leaver = asyncio.create_task(listen())
            await until_over(watcher)
        async with watcher.heard_by(second):
            await told(second, of_type("look-0"))
            leaving.set()
            await asyncio.wait_for(leaver, GUARD)
            for _ in range(5):
                await told(second, of_type("look-0"))
            assert watcher._known["look-0"] > 0

    try:
        asyncio.run(both())
    finally:
        leaving.set()


async def until_over(watcher: Watcher) -> None:
    """Wait until the last listener has begun to leave."""
    async with asyncio.timeout(GUARD):
        while not watcher._over.is_set():
            await asyncio.sleep(0.01)


def test_an_ear_that_fails_after_the_last_one_left_makes_nobody_away(watcher: Watcher) -> None:
    """Nobody would find out that it is back, and a page that asks by GET would be told so for ever."""

    async def later() -> dict[str, str]:
        async with watcher.heard_by(Listener()):
            pass
        await asyncio.gather(*watcher._ears)
        watcher._gone("announcements", "refused")
        return watcher._away

    assert asyncio.run(later()) == {}


# -- events


def test_what_happened_to_videos_is_told_once_and_only_from_now_on() -> None:
    happened = [event(1), event(2)]
    store = Mock(
        newest_events=lambda limit: happened[-limit:], events=lambda after: [one for one in happened if one.id > after]
    )
    history = History(Mock(store=store))
    happened.append(event(3, at=datetime.now(UTC)))
    assert [one["id"] for one in history.news()] == ["video-3-a"], "what came before the first question is not lost"
    happened.append(event(4))
    assert [one["id"] for one in history.news()] == ["video-4-a"]
    assert history.news() == []


def test_what_happened_to_processes_is_told_once_and_only_from_now_on(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = BEGAN.isoformat(), datetime.now(UTC).isoformat()
    happened = [{"number": 1, "at": old}, {"number": 2, "at": old}]
    monkeypatch.setattr(events, "lab_events", lambda parts, after: [one for one in happened if one["number"] > after])
    journal = Journal(Mock())
    happened.append({"number": 3, "at": new})
    assert [one["number"] for one in journal.news()] == [3], "what came before the first question is not lost"
    happened.append({"number": 4, "at": old})
    assert [one["number"] for one in journal.news()] == [4]
    assert journal.news() == []


def test_an_event_of_a_lab_that_was_reset_is_another_one() -> None:
    ids = {events.video_event(event(1, video_hash))["id"] for video_hash in ("a", "b")}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"stage": "upload", "kind": "uploading", "detail": "film.mp4"}, "upload began (film.mp4)"),
        ({"stage": "720p", "kind": "lease_expired", "attempt": 1}, "720p lease expired"),
        ({"stage": "720p", "kind": "claimed", "attempt": 2}, "720p claimed, attempt 2"),
        ({"kind": "completed"}, "completed"),
    ],
)
def test_what_happened_is_said_in_words(facts: dict[str, Any], words: str) -> None:
    assert events.video_event(event(1, **facts))["text"] == words


def test_what_a_later_supervisor_did_is_told_to_who_heard_the_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidlab.lab.journal.time.time_ns", lambda: 1_000_000_000)
    supervisor = Supervised()
    monkeypatch.setattr(events, "supervisor", lambda parts: supervisor)
    for _ in range(40):
        supervisor.journal.tell("killed", "worker-144p.1")
    heard = Journal(Mock())
    before = [one["id"] for one in heard.news()]
    monkeypatch.setattr("vidlab.lab.journal.time.time_ns", lambda: 3_000_000_000)
    supervisor.journal = SupervisorsJournal()
    supervisor.journal.tell("paused", "worker-144p.1")
    (after,) = heard.news()
    assert (after["kind"], after["id"] in before) == ("paused", False)


class Supervised:
    """A supervisor that goes down and comes up again, as the API asks it."""

    def __init__(self) -> None:
        self.journal = SupervisorsJournal()

    def events(self, after: int) -> list[Any]:
        return self.journal.after(after)
