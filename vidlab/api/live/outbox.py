"""What one client has not been sent yet: of each thing only the newest, so that a slow one costs little."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

Message = dict[str, Any]

MOST = 500  # messages; who has so many waiting gets a new snapshot instead


class Overflow(Exception):
    """So much waits for a client that a new snapshot says it shorter."""


class Outbox:
    """Messages by key, in the order in which their keys came."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Message] = OrderedDict()
        self._news = asyncio.Event()
        self._overflown = False

    def put(self, key: str, message: Message) -> None:
        """A later message replaces an earlier one of the same key, and keeps its place."""
        self._waiting[key] = message
        if len(self._waiting) > MOST:
            self._waiting.clear()
            self._overflown = True
        self._news.set()

    async def next(self) -> Message:
        """The oldest, waited for. Raises Overflow, once, when some were dropped."""
        while not self._waiting and not self._overflown:
            self._news.clear()
            await self._news.wait()
        if self._overflown:
            self._overflown = False
            raise Overflow
        return self._waiting.popitem(last=False)[1]
