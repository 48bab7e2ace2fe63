"""The supervisor's side of the nursery: asks it for forks, and hears how they end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidlab.lab.launch import Child, Command, Program, launch, signal_one
from vidlab.lab.spec import PYTHON, module_of

log = logging.getLogger(__name__)

#: Elsewhere a fork that goes on without `exec` is not safe: the system's own libraries do not allow it on macOS.
CAN_FORK = sys.platform == "linux"
ANSWER = 30.0  # seconds; it imports for some, on a busy machine
LOST = -signal.SIGKILL  # the exit code of a fork whose nursery is gone: it went with it


@dataclass
class Fork:
    """A child of the nursery."""

    pid: int
    code: int | None = None

    def poll(self) -> int | None:
        return self.code


class Launcher:
    """Starts processes: those that the nursery can fork there, the others by the system."""

    def __init__(
        self, modules: Sequence[str], environment: Mapping[str, str], log_file: Path, on_end: Callable[[], None]
    ) -> None:
        self.modules = modules if CAN_FORK else ()
        self.environment = environment
        self.log_file = log_file
        #: Called when a fork has ended; of other children the system tells.
        self.on_end = on_end
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listener: asyncio.Task[None] | None = None
        self._asking = asyncio.Lock()
        self._answer: asyncio.Future[Fork] | None = None
        self._number = 0  # of the last request
        self._forks: dict[int, Fork] = {}

    async def start(self, command: Command, environment: Mapping[str, str], log_file: Path) -> Child:
        """Start a process whose output goes to the end of a file. Raises LabFailed."""
        if module_of(command.argv) in self.modules:
            try:
                return await self._fork(command.argv[len(PYTHON) :], {**environment, **command.env}, log_file)
            except OSError as error:
                log.warning("not forked: %s", error)
        return launch(command, environment, log_file)

    async def warm(self) -> None:
        """Have the nursery begin to import; to be called early, it takes seconds."""
        if self.modules and self._listener is None:
            ours, theirs = socket.socketpair()
            command = Program((*PYTHON, "vidlab.lab.nursery", *self.modules))
            with theirs:
                self._process = launch(command, self.environment, self.log_file, stdin=theirs.fileno())
            reader, self._writer = await asyncio.open_connection(sock=ours)
            self._listener = asyncio.create_task(self._listen(reader))

    async def _fork(self, arguments: Sequence[str], environment: Mapping[str, str], log_file: Path) -> Fork:
        module, *others = arguments
        request = {"module": module, "arguments": others, "environment": dict(environment), "log": str(log_file)}
        async with self._asking:  # one question at a time
            await self.warm()
            assert self._writer is not None
            self._number += 1
            self._answer = asyncio.get_running_loop().create_future()
            self._writer.write(json.dumps({**request, "number": self._number}).encode() + b"\n")
            log.info("fork %s", shlex.join(arguments))
            # A nursery that hangs must not hold up the lab: then the process is started by the system.
            return await asyncio.wait_for(self._answer, ANSWER)

    def let_go_on(self) -> None:
        """Have the nursery go on if somebody has stopped it: it could neither fork nor tell that a fork has ended."""
        if self._listener is not None and self._process is not None:
            signal_one(self._process.pid, signal.SIGCONT)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                self._hear(json.loads(line))
        except OSError as error:  # it died with a request unread
            log.warning("the nursery is gone: %s", error)
        finally:
            self._lose_all()

    def _hear(self, told: Mapping[str, Any]) -> None:
        fork = self._forks.setdefault(told["pid"], Fork(told["pid"]))
        if "code" in told:
            self._forks.pop(fork.pid).code = told["code"]
            self.on_end()
        elif told["number"] == self._number and self._answer is not None and not self._answer.done():
            self._answer.set_result(fork)
        else:  # it came too late: another was started in its place
            with contextlib.suppress(ProcessLookupError):
                os.kill(fork.pid, signal.SIGKILL)

    def _lose_all(self) -> None:
        """The nursery is gone, and its forks with it. The next request makes a new one."""
        for fork in self._forks.values():
            fork.code = LOST
        self._forks.clear()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the nursery is gone"))
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._listener = None
        self.on_end()

    async def close(self) -> None:
        """Let the nursery end."""
        listener = self._listener
        if listener is not None and self._writer is not None:
            self._writer.close()
            self._writer = None
            await listener
