"""Tells over Redis which videos have changed, so that who watches need not ask again and again.

It is news, and no record: what is lost here is found by the next look at the database. So it runs in a thread of its
own, holds up nobody, and says nothing when Redis is away.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection

import redis
from redis.exceptions import RedisError

CHANNEL = "vidlab:changes"  # each message is a video_hash
ANSWER = 1.0  # seconds
PAUSE = 0.5  # seconds after a failure
MOST = 1000  # videos that wait to be told; more are left to the watchers' own looks


class Announcer:
    """One process's voice. A fork gets a thread of its own with its first word."""

    def __init__(self, redis_url: str) -> None:
        self.redis_url = redis_url
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._waiting: set[str] = set()
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def tell(self, changed: Collection[str]) -> None:
        """These have changed: their transaction is over. Returns at once."""
        if self._pid != os.getpid():  # the thread, and whoever held the lock, stayed in the parent
            self._begin()
        with self._news:
            if len(self._waiting) < MOST:
                self._waiting |= set(changed)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)
                self._thread.start()
            self._news.notify()

    def close(self) -> None:
        """End the thread; what waits is not told any more."""
        with self._news:
            self._closed = True
            self._news.notify()

    def _run(self) -> None:
        told = redis.Redis.from_url(self.redis_url, socket_connect_timeout=ANSWER, socket_timeout=ANSWER)
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._closed)
                changed, self._waiting = self._waiting, set()
            if self._closed:
                told.close()
                return
            try:
                self._publish(told, changed)
            except (RedisError, OSError):  # whoever watches looks into the database meanwhile
                threading.Event().wait(PAUSE)

    @staticmethod
    def _publish(told: redis.Redis, changed: Collection[str]) -> None:
        with told.pipeline(transaction=False) as pipeline:
            for video_hash in changed:
                pipeline.publish(CHANNEL, video_hash)
            pipeline.execute()
