"""Watches for all clients of one API process together, and only while there are any. It keeps nothing of a video."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import redis.asyncio as redis
from redis.exceptions import RedisError

from vidlab.announce import CHANNEL
from vidlab.api.live.looks import LOOKS, NEWEST, Look, lab_events, video_event
from vidlab.api.live.outbox import Message, Outbox
from vidlab.api.parts import Parts
from vidlab.api.videos import shown_all
from vidlab.errors import DependencyAway

R = TypeVar("R")

log = logging.getLogger(__name__)

EAR = 0.5  # seconds in which the ear notices that nobody listens any more
GATHER = 0.1  # seconds in which changes are gathered before the database is asked
SWEEP = 5.0  # seconds after which those that go on are looked at in any case: news may be lost
POLL = 1.0  # seconds between looks while there is no news from Redis
MOST_GOING = 200  # videos that are looked at in a sweep
ANSWER = 2.0  # seconds


class Listener:
    """A client, and the one video that it wants to hear of; None: of everything."""

    def __init__(self, only: str | None = None) -> None:
        self.only = only
        self.outbox = Outbox()

    def tell(self, key: str, message: Message, video_hash: str | None = None) -> None:
        """Put a message out when it concerns what is listened to."""
        if self.only in (None, video_hash):
            self.outbox.put(key, message)


class Watcher:
    """Hears of changes, reads what changed, and tells it to each listener."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._listeners: set[Listener] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._known: dict[str, Any] = {}  # the newest answer of each look
        self._away: dict[str, str] = {}  # server -> why
        self._changed: set[str] = set()
        self._news = asyncio.Event()
        self._heard = False  # is Redis subscribed to?
        self._over = asyncio.Event()  # ends the ear, which is not cancelled: half a connection would stay open
        self._ears: set[asyncio.Task[None]] = set()

    # -- who listens

    @asynccontextmanager
    async def heard_by(self, listener: Listener) -> AsyncIterator[None]:
        """Tell it all that changes, as long as the block lasts."""
        self._listeners.add(listener)
        if len(self._listeners) == 1:
            self._begin()
        try:
            yield
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                await self._end()

    def _begin(self) -> None:
        self._known, self._away, self._heard = {}, {}, False
        self._over = asyncio.Event()
        ear = asyncio.create_task(self._hear(self._over))
        self._ears.add(ear)
        ear.add_done_callback(self._ears.discard)
        jobs: list[Coroutine[Any, Any, None]] = [self._tell_videos(), self._sweep()]
        jobs += [self._tell_events(_Journal(self.parts)), self._tell_events(_History(self.parts))]
        jobs += [self._look(look) for look in LOOKS]
        self._tasks = [asyncio.create_task(job) for job in jobs]

    async def _end(self) -> None:
        self._over.set()
        self._known, self._away = {}, {}  # nobody keeps it up to date any more
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _tell(self, key: str, message: Message, video_hash: str | None = None) -> None:
        for listener in self._listeners:
            listener.tell(key, message, video_hash)

    # -- snapshots

    async def snapshot(self, only: str | None = None) -> Message:
        """All that there is to know now. Raises UnknownVideo, and DependencyAway when the database is."""
        at = datetime.now(UTC).isoformat()
        if only:
            return {"type": "snapshot", "at": at, **await asyncio.to_thread(self._one, only)}
        answers = await asyncio.gather(*(self._now(look) for look in LOOKS))
        looks = {look.name: answer for look, answer in zip(LOOKS, answers, strict=True)}
        looks["faults"] = looks["faults"] or []
        return {"type": "snapshot", "at": at, **await asyncio.to_thread(self._all), **looks, "away": dict(self._away)}

    def _one(self, video_hash: str) -> Message:
        video = shown_all(self.parts, [self.parts.store.video(video_hash)])[0]
        events = [video_event(event) for event in self.parts.store.events(video_hash)]
        return {"video": video.model_dump(mode="json"), "events": events[-NEWEST:]}

    def _all(self) -> Message:
        store = self.parts.store
        found = {video.video_hash: video for video in (*store.going_on(MOST_GOING), *store.videos(limit=NEWEST))}
        videos = sorted(found.values(), key=lambda video: video.id, reverse=True)
        views = [view.model_dump(mode="json") for view in shown_all(self.parts, videos)]
        return {"videos": views, "events": self._events()}

    def _events(self) -> list[Message]:
        found = [video_event(event) for event in self.parts.store.newest_events(NEWEST)]
        with contextlib.suppress(DependencyAway):  # told apart from this
            found += lab_events(self.parts, 0)
        return sorted(found, key=lambda event: str(event["at"]))[-NEWEST:]

    async def _now(self, look: Look) -> Any:
        """What is known already, else asked for; None when there is no answer in time."""
        if look.name in self._known or look.server in self._away:
            return self._known.get(look.name)
        try:
            return await asyncio.wait_for(asyncio.to_thread(look.ask, self.parts), ANSWER)
        except (DependencyAway, TimeoutError):
            return None

    # -- videos

    async def _hear(self, over: asyncio.Event) -> None:
        """Listen to the announcements; when Redis is away, try again."""
        while not over.is_set():
            try:
                async with redis.from_url(self.parts.settings.redis_url, socket_connect_timeout=ANSWER) as client:
                    await self._follow(client, over)
            except (RedisError, OSError) as error:
                self._heard = False
                self._gone("announcements", str(error))
                await asyncio.sleep(POLL)

    async def _follow(self, client: redis.Redis, over: asyncio.Event) -> None:
        async with client.pubsub() as news:
            await news.subscribe(CHANNEL)
            while not over.is_set():
                message = await news.get_message(timeout=EAR)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    self._heard = True
                    self._there("announcements")
                else:
                    self._note([message["data"].decode()])

    async def _sweep(self) -> None:
        """Look at those that go on: often while there is no news, else now and then."""
        while True:
            await asyncio.sleep(SWEEP if self._heard else POLL)
            with contextlib.suppress(DependencyAway):  # told by those who tell
                going = await asyncio.to_thread(self.parts.store.going_on, MOST_GOING)
                self._note(video.video_hash for video in going)

    def _note(self, hashes: Iterable[str]) -> None:
        self._changed.update(hashes)
        self._news.set()

    async def _tell_videos(self) -> None:
        told: dict[str, Message] = {}
        while True:
            await self._news.wait()
            await asyncio.sleep(GATHER)
            self._news.clear()
            changed, self._changed = self._changed, set()
            views = await self._asked("database", partial(self._views, changed))
            if views is None:
                self._note(changed)
                await asyncio.sleep(POLL)
                continue
            for video_hash in changed:
                self._tell_video(video_hash, views.get(video_hash), told)

    def _tell_video(self, video_hash: str, view: Message | None, told: dict[str, Message]) -> None:
        """What looks as it did is not told again; what has ended is not remembered."""
        if view is None:
            told.pop(video_hash, None)
            self._tell(video_hash, {"type": "gone", "video_hash": video_hash}, video_hash)
        elif told.get(video_hash) != view:
            if view["ended_at"]:
                told.pop(video_hash, None)
            else:
                told[video_hash] = view
            self._tell(video_hash, {"type": "video", "video": view}, video_hash)

    def _views(self, hashes: Iterable[str]) -> dict[str, Message]:
        videos = self.parts.store.some(list(hashes))
        return {view.video_hash: view.model_dump(mode="json") for view in shown_all(self.parts, videos)}

    # -- looks and events

    async def _look(self, look: Look) -> None:
        while True:
            answer = await self._asked(look.server, lambda: look.ask(self.parts))
            if answer is not None and self._is_news(look, answer):
                self._known[look.name] = answer
                self._tell(look.name, {"type": look.name, look.name: answer})
            await asyncio.sleep(look.seconds)

    def _is_news(self, look: Look, answer: Any) -> bool:
        return look.name not in self._known or look.news(answer) != look.news(self._known[look.name])

    async def _tell_events(self, source: _Journal | _History) -> None:
        while True:
            for event in await self._asked(source.server, source.news) or []:
                self._tell(event["id"], {"type": "event", "event": event}, event["video_hash"])
            await asyncio.sleep(POLL / 2)

    # -- who is away

    async def _asked(self, server: str, question: Callable[[], R]) -> R | None:
        """The answer; None when the server is away, which is told once."""
        try:
            answer = await asyncio.to_thread(question)
        except DependencyAway as error:
            self._gone(str(error.facts["name"]), str(error.facts["why"]))
            return None
        self._there(server)
        return answer

    def _gone(self, server: str, why: str) -> None:
        name = _server(server)
        if name not in self._away:
            log.info("%s is away: %s", name, why)
            self._away[name] = why
            self._tell(f"server {name}", {"type": "away", "name": name, "why": why})

    def _there(self, server: str) -> None:
        name = _server(server)
        if self._away.pop(name, None) is not None:
            self._tell(f"server {name}", {"type": "back", "name": name})


def _server(name: str) -> str:
    return "redis" if name == "announcements" else name


class _Journal:
    """The supervisor's events, from now on."""

    server = "supervisor"

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.last: int | None = None

    def news(self) -> list[Message]:
        """What came since the last question; nothing at the first. Raises DependencyAway."""
        found = lab_events(self.parts, self.last or 0)
        before, self.last = self.last, max((event["number"] for event in found), default=self.last or 0)
        return found if before is not None else []


class _History:
    """The videos' events, from now on."""

    server = "database"

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.last: int | None = None

    def news(self) -> list[Message]:
        """What came since the last question; nothing at the first. Raises DependencyAway."""
        store = self.parts.store
        found = store.newest_events(1) if self.last is None else store.events(after=self.last)
        before, self.last = self.last, found[-1].id if found else self.last or 0
        return [video_event(event) for event in found] if before is not None else []
