"""Named ready conditions: what must be seen before a process counts as ready.

Our own processes tell it themselves, by `announce`; servers are asked from outside. A check gives None for "not yet",
or a line about what was reached. It never raises, and takes at most `ANSWER` seconds.
"""

from __future__ import annotations

import http.client
import os
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from vidlab.settings import Settings

ANSWER = 2.0  # seconds for one answer

Check = Callable[["Settings"], str | None]


@dataclass(frozen=True)
class Condition:
    """What is waited for."""

    #: In words that go on from "it did not".
    words: str
    check: Check


# -- our own processes tell


def ready_file(state: Path, process: str) -> Path:
    """Where a process tells that it is ready; the supervisor removes it before each start."""
    return state.absolute() / "run" / f"{process}.ready"


def announce(settings: Settings, text: str) -> None:
    """Tell that this process is ready, and what it reached, in one line."""
    path = ready_file(settings.state, settings.process)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(text.replace("\n", " ") + "\n")
    draft.replace(path)


def announced(settings: Settings) -> str | None:
    """What this process announced."""
    try:
        return ready_file(settings.state, settings.process).read_text().strip() or "ready"
    except OSError:
        return None


# -- servers are asked


def kafka(settings: Settings) -> str | None:
    """A broker answers a metadata request, which it does only when it can serve clients."""
    request = struct.pack(">hhih6s", 3, 8, 1, 6, b"vidlab") + struct.pack(">i???", 0, False, False, False)
    for address in settings.kafka.split(","):
        answer = _ask(_host_port(address), struct.pack(">i", len(request)) + request, enough=16)
        if answer and len(answer) >= 16:
            # length, correlation id, throttle time, then the number of brokers
            brokers = struct.unpack(">iiii", answer[:16])[3]
            return f"{brokers} broker{'s' * (brokers != 1)}" if brokers > 0 else None
    return None


def redis(settings: Settings) -> str | None:
    """PING is answered. A password that is wanted counts as an answer: who uses it tells better what is wrong."""
    url = urlsplit(settings.redis_url)
    answer = _ask((url.hostname or "127.0.0.1", url.port or 6379), b"PING\r\n", enough=5)
    return "answers PING" if answer and answer.startswith((b"+PONG", b"-NOAUTH")) else None


def azurite(settings: Settings) -> str | None:
    """Any HTTP answer will do, also a refusal: it comes from the blob service."""
    answer = _get(settings.blob_endpoint)
    return (answer.getheader("Server") or "answers HTTP").replace("Azurite-Blob/", "version ") if answer else None


def clamd(settings: Settings) -> str | None:
    """PING is answered, which happens after the signatures are loaded."""
    answer = _ask(_host_port(settings.clamd), b"nPING\n", enough=4)
    return "answers PING" if answer and answer.startswith(b"PONG") else None


def api(settings: Settings) -> str | None:
    """It says that it is alive; whether its servers are is another question."""
    answer = _get(f"{settings.api_here}/health/live")
    return f"{settings.api_url.rstrip('/')}/docs" if answer and answer.status == 200 else None


def _ask(address: tuple[str, int], question: bytes, enough: int) -> bytes | None:
    """Send a question, and read until there is enough of an answer."""
    answer = b""
    try:
        with socket.create_connection(address, ANSWER) as connection:
            connection.sendall(question)
            while len(answer) < enough and (piece := connection.recv(4096)):
                answer += piece
    except OSError:
        return None
    return answer


def _get(url: str) -> http.client.HTTPResponse | None:
    # Not urllib: it would ask a proxy that the environment names.
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=ANSWER)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _host_port(address: str) -> tuple[str, int]:
    host, _, port = address.strip().rpartition(":")
    return host, int(port) if port.isdigit() else 0


#: The table: a new server is a line here and a line in the spec.
CONDITIONS: Mapping[str, Condition] = {
    "kafka": Condition("answer a metadata request", kafka),
    "redis": Condition("answer PING", redis),
    "azurite": Condition("answer HTTP", azurite),
    "clamd": Condition("answer PING", clamd),
    "api": Condition("answer GET /health/live", api),
    "announced": Condition("say that it is ready", announced),
    "exited": Condition("exit with code 0", lambda settings: None),  # the supervisor sees that
}
