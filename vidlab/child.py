"""A program that runs within limits and has ended when its block is left, whatever happened.

Nothing here knows what the program is; `vidlab.ffmpeg` is the only user.
"""

from __future__ import annotations

import os
import resource
import selectors
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO

import psutil

from vidlab.processes import die_with_parent

POLL = 0.2  # seconds between two looks at the clock and at `stopping`
GRACE = 1.0  # seconds in which `stopping` may explain a signal that also reached the child
KEPT_LINES = 50  # of what the child complains about
LINE_LIMIT = 64 * 1024  # bytes; a line without an end is cut here
NICENESS = 5  # so that a heartbeat is never late because of a transcode

#: Asked several times a second: the exception to end with, or None to go on.
Stopping = Callable[[], BaseException | None]


def never() -> None:
    """Goes on to the end."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a program may use."""

    memory_bytes: int
    seconds: float


@dataclass(kw_only=True)
class Child:
    """A running program."""

    process: subprocess.Popen[bytes]
    limits: Limits
    stopping: Stopping
    #: The last lines of what it complained about.
    complaints: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))

    def lines(self) -> Iterator[str]:
        """Each line of its standard output, until it has ended; then `code` is known.

        Raises TimeoutError when it takes too long, and what `stopping` returns.
        """
        deadline = time.monotonic() + self.limits.seconds
        with _Pipes(self.process) as pipes:
            while pipes.open:
                yield from pipes.read(self.complaints)
                self._check(deadline)
        while not self._ended():
            self._check(deadline)

    @property
    def command(self) -> list[str]:
        return [str(word) for word in self.process.args] if isinstance(self.process.args, (list, tuple)) else []

    @property
    def code(self) -> int:
        """The exit code; a signal's number below zero."""
        return self.process.returncode

    def ask_why(self) -> None:
        """Give `stopping` time to explain a signal: one to the whole group may reach the child first."""
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            if reason := self.stopping():
                raise reason
            time.sleep(POLL / 4)

    def _check(self, deadline: float) -> None:
        if reason := self.stopping():
            raise reason
        if time.monotonic() > deadline:
            raise TimeoutError

    def _ended(self) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(POLL)
        return self.process.returncode is not None


@contextmanager
def started(command: Sequence[str], limits: Limits, stopping: Stopping = never) -> Iterator[Child]:
    """A program that runs while the block does."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_limiter(limits),
    )
    try:
        yield Child(process=process, limits=limits, stopping=stopping)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    # It stays in our process group, so that whoever pauses or kills the group reaches it; so it is ended by its tree.
    if process.poll() is None:
        _kill_tree(process.pid)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


def _kill_tree(pid: int) -> None:
    """A program that a setting names may be a script that starts the real one."""
    root = psutil.Process(pid)
    for one in (*root.children(recursive=True), root):
        with suppress(psutil.NoSuchProcess):
            one.kill()


def _limiter(limits: Limits) -> Callable[[], None]:
    """What the child does to itself between fork and exec; system calls only."""
    parent = os.getpid()

    def apply() -> None:
        die_with_parent(parent)
        with suppress(ValueError, OSError):  # macOS has this limit by name only
            _, most = resource.getrlimit(resource.RLIMIT_AS)
            memory = limits.memory_bytes if most < 0 else min(limits.memory_bytes, most)
            resource.setrlimit(resource.RLIMIT_AS, (memory, most))
        os.nice(NICENESS)

    return apply


class _Pipes:
    """Reads a child's two outputs together, so that neither fills up and stops it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._output = process.stdout
        self._selector = selectors.DefaultSelector()
        self._rest: dict[int, bytes] = {}
        for pipe in (process.stdout, process.stderr):
            assert pipe
            self._selector.register(pipe, selectors.EVENT_READ)

    def __enter__(self) -> _Pipes:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()

    @property
    def open(self) -> bool:
        return bool(self._selector.get_map())

    def read(self, complaints: deque[str]) -> list[str]:
        """Waits at most `POLL`. Returns the lines of standard output; those of standard error go to `complaints`."""
        output: list[str] = []
        for key, _ in self._selector.select(POLL):
            pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]
            (output if pipe is self._output else complaints).extend(self._lines(pipe))
        return output

    def _lines(self, pipe: IO[bytes]) -> list[str]:
        piece = os.read(pipe.fileno(), LINE_LIMIT)
        if not piece:
            self._selector.unregister(pipe)
        text = self._rest.pop(pipe.fileno(), b"") + (piece or b"\n")
        *lines, rest = text.replace(b"\r", b"\n").split(b"\n")
        self._rest[pipe.fileno()] = rest[-LINE_LIMIT:]
        return [line.decode(errors="replace") for line in lines if line]
