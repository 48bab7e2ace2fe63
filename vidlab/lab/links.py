"""Links that can be slow, cut or reset: a TCP proxy between our processes and a server.

It stands in the path only when the lab was started with links (`vidlab up --links`). Then the server listens on a
port of its own behind the link, and the address that everybody knows is the link's.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from vidlab.lab.ports import HOST

PIECE = 64 * 1024  # bytes
#: SO_LINGER with no time to linger: the end of such a connection is a reset, not an orderly close.
RESET = struct.pack("ii", 1, 0)


@dataclass
class Link:
    """One server's link: what comes in at `port` goes on to `behind`, as well as the link lets it."""

    name: str
    port: int
    behind: int
    #: Seconds that each piece waits, in each direction.
    delay: float = 0.0
    #: New connections are reset at once.
    refuses: bool = False
    _passes: asyncio.Event = field(default_factory=asyncio.Event)
    #: A task for each connection; cancelled, it resets both of its ends.
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncio.Server]:
        """Take connections; at the end all of them are over. Raises OSError when the port is taken."""
        self._passes.set()
        server = await asyncio.start_server(self._connected, HOST, self.port)
        try:
            yield server
        finally:
            server.close()
            for task in list(self._open):
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    # -- faults

    @asynccontextmanager
    async def slow(self, seconds: float) -> AsyncIterator[None]:
        """Each piece waits that long."""
        self.delay = seconds
        try:
            yield
        finally:
            self.delay = 0.0

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[None]:
        """Nothing passes and nobody is told, as when a cable is pulled."""
        self._passes.clear()
        try:
            yield
        finally:
            self._passes.set()

    @asynccontextmanager
    async def reset(self) -> AsyncIterator[None]:
        """Every connection is reset, and so is each new one."""
        self.refuses = True
        for task in list(self._open):
            task.cancel()
        try:
            yield
        finally:
            self.refuses = False

    # -- what passes

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            _reset(writer)
            return
        task = asyncio.create_task(self._join(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            await self._passes.wait()
            far_reader, far_writer = await asyncio.open_connection(HOST, self.behind)
            ends.append(far_writer)
            await _until_one_ends(self._carry(reader, far_writer), self._carry(far_reader, writer))
            for end in ends:
                end.close()
        except (
            OSError,
            asyncio.CancelledError,
        ):  # the server is away, or the link resets: each end learns it as a reset
            for end in ends:
                _reset(end)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(PIECE):
            await asyncio.sleep(self.delay)
            await self._passes.wait()
            writer.write(piece)
            await writer.drain()


def make_links(ports: Mapping[str, int]) -> dict[str, Link]:
    """A link for each server that has a port of its own behind one."""
    names = [name.removesuffix("-behind") for name in ports if name.endswith("-behind")]
    return {name: Link(name, port=ports[name], behind=ports[f"{name}-behind"]) for name in names}


async def _until_one_ends(*ways: Coroutine[None, None, None]) -> None:
    """Carry both ways until one side has said all it had to say. Raises OSError when a side breaks off."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, OSError):
            raise outcome


def _reset(writer: asyncio.StreamWriter) -> None:
    opened = writer.get_extra_info("socket")
    if opened is not None and opened.fileno() >= 0:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
