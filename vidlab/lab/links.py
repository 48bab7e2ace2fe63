"""Links that can be slow, cut or reset: a TCP proxy between our processes and a server.

It stands in the path only when the lab was started with links (`vidlab up --links`). Then the server listens on a
port of its own behind the link, and the address that everybody knows is the link's.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Mapping
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
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def open(self) -> asyncio.Server:
        """Listen. Raises OSError when the port is taken."""
        self._passes.set()
        return await asyncio.start_server(self._connected, HOST, self.port)

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
        for writer in list(self._writers):
            _reset(writer)
        try:
            yield
        finally:
            self.refuses = False

    # -- what passes

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            _reset(writer)
            return
        try:
            await self._passes.wait()
            far_reader, far_writer = await asyncio.open_connection(HOST, self.behind)
        except OSError:  # the server is away: the client learns it as it would without us
            _reset(writer)
            return
        async with asyncio.TaskGroup() as both:
            both.create_task(self._carry(reader, far_writer))
            both.create_task(self._carry(far_reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while piece := await reader.read(PIECE):
                await asyncio.sleep(self.delay)
                await self._passes.wait()
                writer.write(piece)
                await writer.drain()
        except OSError:
            _reset(writer)
        finally:
            self._writers.discard(writer)
            with contextlib.suppress(OSError):
                writer.close()


def make_links(ports: Mapping[str, int]) -> dict[str, Link]:
    """A link for each server that has a port of its own behind one."""
    names = [name.removesuffix("-behind") for name in ports if name.endswith("-behind")]
    return {name: Link(name, port=ports[name], behind=ports[f"{name}-behind"]) for name in names}


def _reset(writer: asyncio.StreamWriter) -> None:
    opened = writer.get_extra_info("socket")
    if opened is not None and opened.fileno() >= 0:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
