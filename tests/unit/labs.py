"""A lab of small scripts for tests: its supervisor and its processes are real, its servers are not there."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import psutil

from vidlab.lab.local import LocalLab

STUB = Path(__file__).with_name("stub_lab.py")


ROOT = Path(__file__).parents[2]


class StubLab(LocalLab):
    """`LocalLab` over the kinds of `stub_lab.py`."""

    def __init__(self, state: Path | str | None = None, *, with_parent: bool = False) -> None:
        super().__init__(state, env={"PYTHONPATH": str(ROOT)}, with_parent=with_parent)

    def _supervisor(self) -> list[str]:
        return [sys.executable, str(STUB)]


class _Answer(socketserver.BaseRequestHandler):
    answer: ClassVar[bytes]

    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(self.answer)


@contextlib.contextmanager
def answering_server(answer: bytes) -> Iterator[int]:
    """A server that gives every caller the same answer; its port."""
    handler = type("Handler", (_Answer,), {"answer": answer})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """The address of a server that takes connections and never answers, as one that was paused."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def is_gone(pid: int) -> bool:
    """Is there no such process, or only its remains?"""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
