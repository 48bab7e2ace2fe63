"""The endpoints: a snapshot by a plain GET, and the same by a WebSocket, which goes on with what changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Request, WebSocket
from starlette.websockets import WebSocketDisconnect

from vidlab.api.access import PROTOCOL
from vidlab.api.document import problems
from vidlab.api.live.outbox import Message, Overflow
from vidlab.api.live.watcher import Listener, Watcher
from vidlab.errors import UnknownVideo, VidLabError

router = APIRouter(tags=["live"])

BEAT = 2.0  # seconds of silence after which a client is told that there is nothing to tell
SEND = 10.0  # seconds in which a client must have taken a message
UNKNOWN, LATER = 4404, 1013  # codes with which a socket is closed; 1013: try again later


@router.get("/live")
async def now(request: Request) -> dict[str, Any]:
    """Videos, processes, queues, lag, faults and events as they are now."""
    watcher: Watcher = request.app.state.watcher
    return await watcher.snapshot()


@router.get("/videos/{video_hash}/live", responses=problems(404))
async def video_now(video_hash: str, request: Request) -> dict[str, Any]:
    """One video and its events as they are now."""
    watcher: Watcher = request.app.state.watcher
    return await watcher.snapshot(video_hash)


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """A snapshot first, then what changes, and a `beat` after each 2 s of silence."""
    await _serve(socket, None)


@router.websocket("/videos/{video_hash}/live")
async def video_live(socket: WebSocket, video_hash: str) -> None:
    """The same for one video."""
    await _serve(socket, video_hash)


async def _serve(socket: WebSocket, only: str | None) -> None:
    watcher: Watcher = socket.app.state.watcher
    await socket.accept(PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
    listener = Listener(only)
    with suppress(WebSocketDisconnect, TimeoutError):  # it went, or takes nothing more: both end it
        async with watcher.heard_by(listener):
            await _first_over(_send(socket, watcher, listener), _until_gone(socket))


async def _send(socket: WebSocket, watcher: Watcher, listener: Listener) -> None:
    """Changes are gathered before the snapshot is read, so that none is missed between the two."""
    try:
        await _say(socket, await watcher.snapshot(listener.only))
        while True:
            await _say(socket, await _next(watcher, listener))
    except VidLabError as error:
        await socket.close(UNKNOWN if isinstance(error, UnknownVideo) else LATER, str(error)[:120])


async def _next(watcher: Watcher, listener: Listener) -> Message:
    """What is to be said next; a beat when that is long in coming, so that a client can tell rest from a hung API."""
    try:
        async with asyncio.timeout(BEAT):
            return await listener.outbox.next()
    except TimeoutError:
        return {"type": "beat"}
    except Overflow:
        return await watcher.snapshot(listener.only)


async def _say(socket: WebSocket, message: Message) -> None:
    try:
        await asyncio.wait_for(socket.send_text(json.dumps(message)), SEND)
    except RuntimeError as error:  # what a socket that is closed already says
        raise WebSocketDisconnect from error


async def _until_gone(socket: WebSocket) -> None:
    """What a client says means nothing here; that it goes does."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return


async def _first_over(*jobs: Coroutine[Any, Any, None]) -> None:
    """Return when the first of them does, or raise what it raised; the others are cancelled."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
