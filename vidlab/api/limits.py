"""How many requests one client may make: as many as it likes, unless a setting says otherwise.

Each client, known by its address, has a bucket that fills evenly and holds at most a minute's worth; a request takes
one. Media is counted apart, because a player fetches more, and more evenly, than somebody who uploads.
Packages for this keep their counts by the wall clock, and the one of them in memory starts a thread for each sweep;
a bucket is one number.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from vidlab.api.problems import refused
from vidlab.errors import TooManyRequests
from vidlab.paths import MEDIA

MINUTE = 60.0  # seconds
MOST_CLIENTS = 10_000  # that are remembered; who comes from more addresses than that is not held up by this
#: Never counted: who asks whether the API is alive must get an answer.
UNCOUNTED = "/health/live"

Clock = Callable[[], float]


class Buckets:
    """One for each client."""

    def __init__(self, per_minute: int, clock: Clock = time.monotonic) -> None:
        self.per_minute = per_minute
        self.clock = clock
        #: Client -> when its bucket will be full again; who was seen last stands last.
        self._full: OrderedDict[str, float] = OrderedDict()

    def wait(self, client: str) -> float:
        """Take one, and give 0; else the seconds until there is one again."""
        now, piece = self.clock(), MINUTE / self.per_minute
        full = max(now, self._full.get(client, now)) + piece
        if full - now > MINUTE + piece / 1000:  # what is lost in adding up must cost nobody a request
            return full - now - MINUTE
        self._full[client] = full
        self._full.move_to_end(client)
        if len(self._full) > MOST_CLIENTS:
            self._full.popitem(last=False)
        return 0.0


class Limited:
    """Turns away who asks too often, and says when to come again. None: no limit."""

    def __init__(self, app: ASGIApp, per_minute: int | None, media_per_minute: int | None) -> None:
        self.app = app
        self.rest = Buckets(per_minute) if per_minute else None
        self.media = Buckets(media_per_minute) if media_per_minute else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seconds = math.ceil(self._wait(scope))
        again = {"Retry-After": str(seconds)}
        answer = refused(scope, TooManyRequests(seconds=seconds), again) if seconds else self.app
        await answer(scope, receive, send)

    def _wait(self, scope: Scope) -> float:
        if scope["type"] != "http" or scope["path"] == UNCOUNTED:
            return 0.0
        buckets = self.media if scope["path"].startswith(f"{MEDIA}/") else self.rest
        client = scope.get("client") or ("",)
        return buckets.wait(client[0]) if buckets else 0.0
