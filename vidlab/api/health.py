"""Is the API alive, and does each server that a video needs answer?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from vidlab.errors import DependencyAway, VidLabError

router = APIRouter(prefix="/health", tags=["health"])

PATIENCE = 1.0  # seconds for all checks together

#: Returns when the server answers. Raises DependencyAway.
Check = Callable[[], None]


def answers(name: str, ask: Callable[[], str | None]) -> Check:
    """A check from a question whose answer is None when there is none."""

    def check() -> None:
        if ask() is None:
            raise DependencyAway(name=name, why="it is not ready, or not there")

    return check


class ServerView(BaseModel):
    """One server that a video needs."""

    state: Literal["ok", "away"]
    seconds: float
    reason: str | None = None


class HealthView(BaseModel):
    """All of them."""

    status: Literal["ok", "away"]
    servers: dict[str, ServerView]


class Checks:
    """Asks all servers at once. One that hangs is not asked a second time while it does."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._pool = ThreadPoolExecutor(max(1, len(checks)), thread_name_prefix="health")
        self._asked: dict[str, Future[ServerView]] = {}

    async def ask(self) -> HealthView:
        """What each answers within `PATIENCE`."""
        for name, check in self._checks.items():
            if name not in self._asked or self._asked[name].done():
                self._asked[name] = self._pool.submit(_timed, check)
        waiting = [asyncio.wrap_future(future) for future in self._asked.values()]
        if waiting:
            await asyncio.wait(waiting, timeout=PATIENCE)
        servers = {name: future.result() if future.done() else _SILENT for name, future in self._asked.items()}
        healthy = all(server.state == "ok" for server in servers.values())
        return HealthView(status="ok" if healthy else "away", servers=servers)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


_SILENT = ServerView(state="away", seconds=PATIENCE, reason=f"no answer within {PATIENCE:.0f} s")


def _timed(check: Check) -> ServerView:
    began = time.monotonic()
    try:
        check()
    except VidLabError as error:
        return ServerView(state="away", seconds=_since(began), reason=str(error))
    return ServerView(state="ok", seconds=_since(began))


def _since(began: float) -> float:
    return round(time.monotonic() - began, 4)


@router.get("", responses={503: {"model": HealthView}})
async def health(request: Request, response: Response) -> HealthView:
    """Each server and how long it took to answer; 503 when one of them does not."""
    checks: Checks = request.app.state.checks
    found = await checks.ask()
    response.status_code = 200 if found.status == "ok" else 503
    return found


@router.get("/live")
async def live() -> dict[str, str]:
    """Answers at once, whatever became of the servers."""
    return {"status": "ok"}
