"""Watches for all clients of one API process together, and only while there are any. It keeps nothing of a video."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import redis.asyncio as redis
from redis.exceptions import RedisError

from vidlab.announce import CHANNEL
from vidlab.api.live.events import History, Journal
from vidlab.api.live.looks import LOOKS, Look
from vidlab.api.live.outbox import Message, Outbox
from vidlab.api.live.snapshot import MOST_GOING, newest, one, views_of
from vidlab.api.parts import Parts
from vidlab.errors import DependencyAway

R = TypeVar("R")
Job = Callable[[], Coroutine[Any, Any, None]]

log = logging.getLogger(__name__)

EAR = 0.5  # seconds in which the ear notices that nobody listens any more
GATHER = 0.1  # seconds in which changes are gathered before the database is asked
SWEEP = 5.0  # seconds after which those that go on are looked at in any case: news may be lost
POLL = 1.0  # seconds between looks while there is no news from Redis
ANSWER = 2.0  # seconds


@dataclass(frozen=True)
class _Answer:
    """What a look found for a snapshot; nothing when some server is away."""

    value: Any
    #: Server -> why it gave no answer.
    away: dict[str, str] = field(default_factory=dict)


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
        #: What was told last of each video that goes on; None: no more than that it is in somebody's snapshot.
        self._told: dict[str, Message | None] = {}
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
        self._known, self._away, self._told, self._heard = {}, {}, {}, False
        self._over = asyncio.Event()
        ear = asyncio.create_task(self._kept("announcements", partial(self._hear, self._over)))
        self._ears.add(ear)
        ear.add_done_callback(self._ears.discard)
        jobs: list[tuple[str, Job]] = [("database", self._tell_videos), ("database", self._sweep)]
        for source in (Journal(self.parts), History(self.parts)):
            jobs.append((source.server, partial(self._tell_events, source)))
        jobs += [(look.server, partial(self._look, look)) for look in LOOKS]
        self._tasks = [asyncio.create_task(self._kept(server, job)) for server, job in jobs]

    async def _end(self) -> None:
        self._over.set()
        self._known, self._away = {}, {}  # nobody keeps it up to date any more
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _kept(self, server: str, job: Job) -> None:
        """Do a job again when it ends by what nobody foresaw, which is logged, and told as an absence."""
        while True:
            try:
                return await job()
            except Exception as error:  # the boundary of a task: else it would end for all who listen, in silence
                if _server(server) not in self._away:
                    log.exception("what asks %s begins anew", server)
                self._gone(server, _why(error))
                await asyncio.sleep(POLL)

    def _tell(self, key: str, message: Message, video_hash: str | None = None) -> None:
        for listener in self._listeners:
            listener.tell(key, message, video_hash)

    # -- snapshots

    async def snapshot(self, only: str | None = None) -> Message:
        """All that there is to know now. Raises UnknownVideo, and DependencyAway when the database is."""
        found = await (asyncio.to_thread(one, self.parts, only) if only else self._all())
        if self._listeners:
            self._remember([found["video"]] if only else found["videos"])
        # Last: what was asked for is as old as its answer, not as the question.
        return {"type": "snapshot", "at": datetime.now(UTC).isoformat(), **found}

    def _remember(self, views: Iterable[Message]) -> None:
        for view in views:
            if not view["ended_at"]:
                self._told.setdefault(view["video_hash"], None)

    async def _all(self) -> Message:
        answers = await asyncio.gather(*(self._now(look) for look in LOOKS))
        looks = {look.name: answer.value for look, answer in zip(LOOKS, answers, strict=True)}
        looks["faults"] = looks["faults"] or []
        away = {name: why for answer in answers for name, why in answer.away.items()}
        # Who listens hears by the looks themselves who goes and comes back; one that is late here is not away.
        away = dict(self._away) if self._listeners else away
        return {**await asyncio.to_thread(newest, self.parts), **looks, "away": away}

    async def _now(self, look: Look) -> _Answer:
        """What is known already, else asked for; when there is no answer in time, who is away."""
        if look.name in self._known or look.server in self._away:
            return _Answer(self._known.get(look.name))
        try:
            return _Answer(await asyncio.wait_for(asyncio.to_thread(look.ask, self.parts), ANSWER))
        except DependencyAway as error:
            return _Answer(None, {str(error.facts["name"]): str(error.facts["why"])})
        except Exception as error:  # the boundary of a task: the rest is told all the same
            log.info("%s is not known: %r", look.name, error)
            return _Answer(None, {look.server: _why(error)})

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
        """Look at those that go on, or did when somebody was told: often while there is no news, else now and then."""
        while True:
            await asyncio.sleep(SWEEP if self._heard else POLL)
            going = await self._asked("database", partial(self.parts.store.going_on, MOST_GOING))
            self._told = {name: view for name, view in self._told.items() if not (view and view["ended_at"])}
            self._note({video.video_hash for video in going or []} | set(self._told))

    def _note(self, hashes: Iterable[str]) -> None:
        self._changed.update(hashes)
        if self._changed:
            self._news.set()

    async def _tell_videos(self) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(GATHER)
            self._news.clear()
            changed, self._changed = self._changed, set()
            if not await self._tell_changed(changed):
                await asyncio.sleep(POLL)

    async def _tell_changed(self, changed: set[str]) -> bool:
        """Read these, and tell them. Where that fails they are noted again, whatever it failed by."""
        views = None
        try:
            views = await self._asked("database", partial(views_of, self.parts, changed))
        finally:
            if views is None:
                self._note(changed)
        if views is None:
            return False
        for video_hash in changed:
            self._tell_video(video_hash, views.get(video_hash))
        return True

    def _tell_video(self, video_hash: str, view: Message | None) -> None:
        """What looks as it did is not told again."""
        if view is None:
            self._told.pop(video_hash, None)
            self._tell(video_hash, {"type": "gone", "video_hash": video_hash}, video_hash)
        elif self._told.get(video_hash) != view:
            self._told[video_hash] = view
            self._tell(video_hash, {"type": "video", "video": view}, video_hash)

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

    async def _tell_events(self, source: Journal | History) -> None:
        while True:
            for event in await self._asked(source.server, source.news) or []:
                self._tell(event["id"], {"type": "event", "event": event}, event["video_hash"])
                self._note(self._touched(event))
            await asyncio.sleep(POLL / 2)

    def _touched(self, event: Message) -> set[str]:
        """The event's video, whose announcement may be lost, and those whose place in its queue is another now."""
        if event["video_hash"] is None:
            return set()
        return {event["video_hash"], *(name for name, view in self._told.items() if _waits(view, event["stage"]))}

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
        if name not in self._away and not self._over.is_set():  # then nobody would find out that it is back
            log.info("%s is away: %s", name, why)
            self._away[name] = why
            self._tell(f"server {name}", {"type": "away", "name": name, "why": why})

    def _there(self, server: str) -> None:
        name = _server(server)
        if self._away.pop(name, None) is not None:
            self._tell(f"server {name}", {"type": "back", "name": name})


def _server(name: str) -> str:
    return "redis" if name == "announcements" else name


def _why(error: Exception) -> str:
    return f"no answer in {ANSWER:.0f} s" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"


def _waits(view: Message | None, stage: str | None) -> bool:
    """Does it wait in the queue of that stage, as far as one was told?"""
    if view is None:
        return stage is not None
    return any(job["name"] == stage and job["place"] for job in (*view["steps"], *view["profiles"]))
