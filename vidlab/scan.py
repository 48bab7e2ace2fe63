"""Asks clamd whether a stream of bytes is clean, and believes only a clear yes.

pyclamd holds the connection and sends the command. Its own `scan_stream` is not used: it takes the end of the
connection for "clean", sends without looking how much was sent, and stumbles over answers of a single word.
"""

from __future__ import annotations

import re
import selectors
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import pyclamd

from vidlab.child import Stopping, never
from vidlab.errors import DependencyAway, Infected
from vidlab.settings import MIB, Settings

CHUNK = MIB  # bytes at once; clamd takes any size up to its StreamMaxLength
POLL = 0.25  # seconds between two looks at `stopping`
ANSWER_LIMIT = 4096  # bytes; an answer is one line
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
CLEAN = "stream: OK"
FOUND = re.compile(r"stream: (.+) FOUND")
LIMIT = "Heuristics.Limits.Exceeded"  # how clamd names what it did not look through (AlertExceedsMax yes)


class Readable(Protocol):
    """What gives bytes: a file, a download."""

    def read(self, size: int, /) -> bytes: ...


class Scanner:
    """The clamd that the settings name; when nothing moves either way for their time-out it counts as away."""

    def __init__(self, settings: Settings) -> None:
        host, _, port = settings.clamd.rpartition(":")
        self._host, self._port, self._timeout = host, int(port), settings.scan_timeout_seconds

    def scan(self, stream: Readable, stopping: Stopping = never) -> None:
        """Returns when the stream is clean.

        Raises Infected; what `stopping` returns; and DependencyAway for everything else, also when clamd did not look
        at the whole because of a limit of its own: what was not scanned waits, and is never let through.
        """
        with _talking():
            connection = _Connection(self._host, self._port, self._timeout)
        connection.stopping = stopping
        try:
            _judge(connection.ask(stream))
        finally:
            connection.close()


def _judge(answer: str) -> None:
    if answer == CLEAN:
        return
    if not answer:
        raise _away("it ended the connection without an answer")
    found = FOUND.fullmatch(answer)
    if not found:
        raise _away(f"it answered {answer!r}")
    if found[1].startswith(LIMIT):
        raise _away(f"the file is over a limit of the scanner ({found[1]}), so it was not scanned whole")
    raise Infected(signature=found[1])


class _Connection(pyclamd.ClamdNetworkSocket):  # type: ignore[misc]  # pyclamd has no types
    """pyclamd's connection, with connecting, sending and waiting that can be relied on."""

    clamd_socket: socket.socket
    stopping: Stopping = staticmethod(never)

    def _init_socket(self) -> None:
        # pyclamd's own leaves the socket open when nobody answers, and knows no IPv6
        self.clamd_socket = socket.create_connection((self.host, self.port), timeout=self.timeout)

    def ask(self, stream: Readable) -> str:
        """The answer to INSTREAM, or "" when the connection ended before a whole line came."""
        with _talking():
            self._init_socket()
            self._send_command("INSTREAM")
        while chunk := stream.read(CHUNK):
            with _talking():
                # clamd answers before the end only to refuse, and does not read on then
                if self._is_ready(READ, 0):
                    return self._answer()
                self._send(struct.pack("!L", len(chunk)) + chunk)
        with _talking():
            self._send(struct.pack("!L", 0))
            return self._answer()

    def _send(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            self._wait(WRITE)
            rest = rest[self.clamd_socket.send(rest) :]

    def _answer(self) -> str:
        """One whole line: half of one could be the beginning of another word than it seems."""
        answer = b""
        while not answer.endswith(b"\n"):
            self._wait(READ)
            piece = self.clamd_socket.recv(ANSWER_LIMIT)
            if not piece or len(answer) > ANSWER_LIMIT:
                return ""
            answer += piece
        return answer.decode(errors="replace").strip()

    def _wait(self, direction: int) -> None:
        deadline = time.monotonic() + self.timeout
        while not self._is_ready(direction, POLL):
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing moved for {self.timeout:g} s")
            if reason := self.stopping():
                raise reason

    def _is_ready(self, direction: int, seconds: float) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self.clamd_socket, direction)
            return bool(selector.select(seconds))

    def close(self) -> None:
        self._close_socket()


@contextmanager
def _talking() -> Iterator[None]:
    """Whatever happens to the connection, clamd is away; what happens to the file's own stream is not caught."""
    try:
        yield
    except OSError as error:
        raise _away(str(error)) from error


def _away(why: str) -> DependencyAway:
    return DependencyAway(name="clamd", why=why)
