"""One client of /live: what it is sent, and when it is given up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from vidlab.api.live import sockets
from vidlab.api.live.outbox import MOST
from vidlab.api.live.watcher import Listener

GUARD = 5.0  # seconds


class Client:
    """A socket at whose other end somebody takes messages, or does not."""

    def __init__(self, watcher: Any, *, takes: bool = True) -> None:
        self.app = SimpleNamespace(state=SimpleNamespace(watcher=watcher))
        self.scope: dict[str, Any] = {"subprotocols": []}
        self.takes = takes
        self.told: list[dict[str, Any]] = []
        self.news = asyncio.Event()
        self.leaving = asyncio.Event()
        self.left = False

    async def accept(self, _protocol: str | None) -> None:
        pass

    async def send_text(self, text: str) -> None:
        if not self.takes:
            await asyncio.Event().wait()
        self.told.append(json.loads(text))
        self.news.set()

    async def receive(self) -> dict[str, Any]:
        if self.left:  # so does Starlette
            raise RuntimeError("a disconnect message has been received already")
        await self.leaving.wait()
        self.left = True
        return {"type": "websocket.disconnect"}

    async def got(self, count: int) -> None:
        while len(self.told) < count:
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), GUARD)


class Watched:
    """A watcher whose snapshots are numbered."""

    def __init__(self) -> None:
        self.snapshots = 0
        self.listeners: list[Listener] = []

    async def snapshot(self, only: str | None) -> dict[str, Any]:
        self.snapshots += 1
        return {"type": "snapshot", "number": self.snapshots}

    @asynccontextmanager
    async def heard_by(self, listener: Listener) -> AsyncIterator[None]:
        self.listeners.append(listener)
        try:
            yield
        finally:
            self.listeners.remove(listener)


def serve(client: Client) -> asyncio.Task[None]:
    return asyncio.create_task(sockets._serve(client, None))  # type: ignore[arg-type]


def test_who_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "SEND", 0.05)

    async def given_up() -> list[Listener]:
        watcher = Watched()
        await asyncio.wait_for(serve(Client(watcher, takes=False)), GUARD)
        return watcher.listeners

    assert asyncio.run(given_up()) == []


def test_who_leaves_while_there_is_nothing_to_say_is_listened_for_no_more() -> None:
    async def left() -> list[Listener]:
        watcher = Watched()
        client = Client(watcher)
        serving = serve(client)
        await client.got(1)
        client.leaving.set()
        await asyncio.wait_for(serving, GUARD)
        return watcher.listeners

    assert asyncio.run(left()) == []


def test_who_was_too_slow_for_the_changes_is_sent_a_new_snapshot_and_goes_on() -> None:
    async def told() -> list[dict[str, Any]]:
        watcher = Watched()
        client = Client(watcher)
        serving = serve(client)
        await client.got(1)
        for number in range(MOST + 1):
            watcher.listeners[0].outbox.put(str(number), {"type": "video", "number": number})
        await client.got(2)
        watcher.listeners[0].outbox.put("after", {"type": "video", "number": -1})
        await client.got(3)
        client.leaving.set()
        await asyncio.wait_for(serving, GUARD)
        return client.told

    assert asyncio.run(told()) == [
        {"type": "snapshot", "number": 1},
        {"type": "snapshot", "number": 2},
        {"type": "video", "number": -1},
    ]


def test_what_changes_while_the_snapshot_is_read_is_told_after_it() -> None:
    class Changing(Watched):
        async def snapshot(self, only: str | None) -> dict[str, Any]:
            found = await super().snapshot(only)
            for listener in self.listeners:
                listener.outbox.put("meanwhile", {"type": "video"})
            return found

    async def told() -> list[str]:
        client = Client(Changing())
        serving = serve(client)
        await client.got(2)
        client.leaving.set()
        await asyncio.wait_for(serving, GUARD)
        return [message["type"] for message in client.told]

    assert asyncio.run(told()) == ["snapshot", "video"]


def test_while_nothing_changes_a_client_is_told_that_it_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "BEAT", 0.05)

    async def told() -> list[str]:
        watcher = Watched()
        client = Client(watcher)
        serving = serve(client)
        await client.got(3)
        watcher.listeners[0].outbox.put("a", {"type": "video"})
        await client.got(4)
        client.leaving.set()
        await asyncio.wait_for(serving, GUARD)
        return [message["type"] for message in client.told]

    assert asyncio.run(told()) == ["snapshot", "beat", "beat", "video"]
