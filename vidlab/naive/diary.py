"""What the processes of a lesson tell each other: a list in a Redis database that the lab itself does not use."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlsplit

import redis

DATABASE = 7  # of the lab's Redis: its own queues are in 0
TOLD = "lesson:told"


def lesson_url(redis_url: str) -> str:
    """The same Redis, but the lessons' database."""
    return urlsplit(redis_url)._replace(path=f"/{DATABASE}").geturl()


class Diary:
    """Who did what, and when, in the order in which Redis got to know."""

    def __init__(self, url: str, who: str = "notebook") -> None:
        self.redis = redis.Redis.from_url(url, decode_responses=True)
        self.who = who

    def tell(self, what: str, **facts: Any) -> None:
        """Write a line. All of them write on one machine, whose clock they share."""
        self.redis.rpush(TOLD, json.dumps({"what": what, "at": time.time(), "who": self.who, **facts}))

    def told(self, what: str = "") -> list[dict[str, Any]]:
        """All lines, or those of one kind."""
        lines: Any = self.redis.lrange(TOLD, 0, -1)
        found: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [line for line in found if what in ("", line["what"])]

    def forget(self) -> None:
        """Empty the lessons' database: the queues in it go too."""
        self.redis.flushdb()

    def close(self) -> None:
        self.redis.close()
