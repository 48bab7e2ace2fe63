"""A link between a client and a real server: what it lets through, and what not."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from vidlab.lab.links import Link, make_links
from vidlab.lab.ports import HOST

SILENCE = 0.3  # seconds in which nothing may come


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(1024):
            writer.write(piece)
            await writer.drain()
    writer.close()


class Talk:
    """A client's connection through the link."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, words: bytes) -> bytes:
        self.writer.write(words)
        return await asyncio.wait_for(self.reader.readexactly(len(words)), 10)


@asynccontextmanager
async def linked() -> AsyncIterator[tuple[Link, Callable[[], Awaitable[Talk]]]]:
    """An echo server behind a link, and a way to connect."""
    server = await asyncio.start_server(_echo, HOST, 0)
    link = Link("redis", port=0, behind=server.sockets[0].getsockname()[1])
    talks: list[Talk] = []

    port = 0

    async def connect() -> Talk:
        talks.append(Talk(*await asyncio.open_connection(HOST, port)))
        return talks[-1]

    async with link.listening() as front, server:
        port = front.sockets[0].getsockname()[1]
        yield link, connect
        for talk in talks:
            talk.writer.close()
        await asyncio.gather(*(talk.writer.wait_closed() for talk in talks), return_exceptions=True)


def test_what_is_sent_comes_back_through_a_link() -> None:
    async def play() -> None:
        async with linked() as (_, connect):
            first, second = await connect(), await connect()
            assert await first.ask(b"one") == b"one"
            assert await second.ask(b"x" * 300_000) == b"x" * 300_000
            assert await first.ask(b"two") == b"two"

    asyncio.run(play())


def test_on_a_slow_link_each_piece_waits_in_both_directions() -> None:
    async def play() -> None:
        async with linked() as (link, connect):
            talk = await connect()
            async with link.slow(0.1):
                began = time.monotonic()
                assert await talk.ask(b"one") == b"one"
                assert time.monotonic() - began >= 0.2
            assert link.delay == 0

    asyncio.run(play())


def test_a_cut_link_is_silent_and_then_brings_what_waited() -> None:
    async def play() -> None:
        async with linked() as (link, connect):
            talk = await connect()
            async with link.cut():
                asked = asyncio.create_task(talk.ask(b"one"))
                newcomer = asyncio.create_task((await connect()).ask(b"two"))
                done, _ = await asyncio.wait({asked, newcomer}, timeout=SILENCE)
                assert not done
            assert await asked == b"one"
            assert await newcomer == b"two"

    asyncio.run(play())


def test_a_link_that_resets_ends_what_is_connected_and_what_comes_new() -> None:
    async def play() -> None:
        async with linked() as (link, connect):
            talk = await connect()
            assert await talk.ask(b"one") == b"one"
            async with link.reset():
                with pytest.raises(ConnectionResetError):
                    await asyncio.wait_for(talk.reader.read(1), 10)
                with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                    await (await connect()).ask(b"two")
            assert await (await connect()).ask(b"three") == b"three"

    asyncio.run(play())


def test_a_server_that_is_away_is_away_behind_its_link_too() -> None:
    async def play() -> None:
        async with linked() as (link, connect):
            link.behind = 1
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await (await connect()).ask(b"one")

    asyncio.run(play())


def test_a_server_without_a_port_behind_has_no_link() -> None:
    links = make_links({"kafka": 1, "redis": 2, "redis-behind": 3, "clamd": 4})
    assert [(link.name, link.port, link.behind) for link in links.values()] == [("redis", 2, 3)]
