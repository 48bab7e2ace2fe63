"""The nursery: a process that has imported what ours need, and forks them when asked (Linux).

Importing takes a worker two seconds of processor time, and a lab has fifteen such processes: forked, they are there at
once, at the start of a lab and after each kill. What runs in a fork is what `python -m services.worker 360p` would run.

It reads a request per line from the socket that is its standard input, and writes a line for each fork and each end:
{"number", "module", "arguments", "environment", "log"} -> {"number", "pid"}, and later {"pid", "code"}.
It ends when the socket does.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidlab.processes import die_with_parent

PIECE = 65536  # bytes
NAME = 15  # characters of a process's name that the kernel keeps


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a fork is to run."""

    #: Comes back with the answer.
    number: int
    module: str
    arguments: list[str]
    environment: dict[str, str]
    log: str


def warm(modules: list[str]) -> None:
    """Import what will be needed; what cannot be imported will say so in the log of the process that needs it."""
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:  # any: it is code that is run here for its effects alone
            sys.stderr.write(f"not imported: {module}: {error}\n")
        # Each fork runs it anew as its main module.
        sys.modules.pop(module, None)
    # Objects that are there now are not looked at by the collector in the forks, so that their memory stays shared.
    gc.collect()
    gc.freeze()


class Nursery:
    """Forks on request, and tells how the forks end."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.unread = b""
        self.bell, self.ring = socket.socketpair()
        self.ring.setblocking(False)

    def serve(self) -> Request | None:
        """Returns in each fork, with what it is to run; in the nursery itself when nobody asks any more."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.ring.fileno())
        selector = selectors.DefaultSelector()
        selector.register(self.line, selectors.EVENT_READ)
        selector.register(self.bell, selectors.EVENT_READ)
        while True:
            sources = [key.fileobj for key, _ in selector.select()]
            if self.bell in sources:
                self.bell.recv(PIECE)
                self._tell_ends()
            if self.line in sources:
                if not (piece := self.line.recv(PIECE)):
                    return None
                self.unread += piece
                if request := self._fork_all():
                    selector.close()
                    return request

    def _fork_all(self) -> Request | None:
        *lines, self.unread = self.unread.split(b"\n")
        for text in lines:
            request = Request(**json.loads(text))
            pid = self._fork()
            if pid == 0:
                return request
            self._tell(number=request.number, pid=pid)
        return None

    def _fork(self) -> int:
        """As `os.fork`, but the child leads its group by then: who is told of it may signal that at once."""
        parent = os.getpid()
        leads, led = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(leads)
            self._leave(parent)
            os.close(led)
            return 0
        os.close(led)
        os.read(leads, 1)  # its end comes when the child closes it, or has ended
        os.close(leads)
        return pid

    def _leave(self, parent: int) -> None:
        """Become a process of one's own."""
        os.setsid()
        die_with_parent(parent)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for one in (self.line, self.bell, self.ring):
            one.close()

    def _tell_ends(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._tell(pid=pid, code=os.waitstatus_to_exitcode(status))

    def _tell(self, **facts: Any) -> None:
        self.line.sendall(json.dumps(facts).encode() + b"\n")


def become(request: Request) -> None:
    """Run what was asked for, as if it had been started by the system."""
    os.environ.clear()
    os.environ.update(request.environment)
    with open(os.devnull, "rb") as nothing, open(request.log, "ab") as log:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    # So that `top` tells them apart.
    Path("/proc/self/comm").write_text(request.environment.get("VIDLAB_PROCESS", request.module)[:NAME])
    sys.argv = [request.module, *request.arguments]
    runpy.run_module(request.module, run_name="__main__", alter_sys=True)


def main() -> None:
    warm(sys.argv[1:])
    request = Nursery(socket.socket(fileno=os.dup(0))).serve()
    if request is not None:
        become(request)


if __name__ == "__main__":
    main()
