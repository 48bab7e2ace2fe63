"""WebSockets as a browser opens them, for tests."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

Message = dict[str, Any]

PATIENCE = 20.0  # seconds


class Socket:
    """One client, and all that it was told."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.told: list[Message] = []

    def next(self, timeout: float = PATIENCE) -> Message:
        """The next message. Raises TimeoutError."""
        self.told.append(json.loads(self.connection.recv(timeout=timeout)))
        return self.told[-1]

    def until(self, fits: Callable[[Message], Any], timeout: float = PATIENCE, *, since: int = 0) -> Message:
        """The first message that fits, of those that came (after the first `since`) or will. Raises AssertionError."""
        if found := next((message for message in self.told[since:] if fits(message)), None):
            return found
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = self.next(left)
            except TimeoutError:
                break
            if fits(message):
                return message
        raise AssertionError(f"nothing that fits came in {timeout:.0f} s: {[one['type'] for one in self.told]}")

    def of(self, kind: str, timeout: float = PATIENCE) -> Message:
        """The next message of that type."""
        return self.until(lambda message: message["type"] == kind, timeout)

    def video(self, fits: Callable[[Message], Any], timeout: float = PATIENCE) -> Message:
        """The next view of a video that fits."""
        found = self.until(lambda message: message["type"] == "video" and fits(message["video"]), timeout)
        view: Message = found["video"]
        return view

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


@contextmanager
def opened(
    api_url: str, path: str = "/live", *, origin: str | None = None, token: str | None = None
) -> Iterator[Socket]:
    """A socket; the token goes along as a browser sends it."""
    protocols = [Subprotocol("vidlab")]
    if token is not None:
        carried = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
        protocols.append(Subprotocol(f"vidlab.token.{carried}"))
    address = f"{api_url.replace('http', 'ws', 1)}{path}"
    named = Origin(origin) if origin else None
    with connect(address, origin=named, subprotocols=protocols, proxy=None) as connection, Socket(connection) as socket:
        yield socket
