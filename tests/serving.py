"""The API over real HTTP, in a thread of the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from tests.postgres import free_port

START = 10.0  # seconds


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Give the address at which the app listens."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, name="serving")
    thread.start()
    try:
        _wait(server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(START)


def _wait(server: uvicorn.Server) -> None:
    deadline = time.monotonic() + START
    while not server.started:
        if time.monotonic() > deadline:
            raise RuntimeError("the API did not start")
        time.sleep(0.01)
