"""The API over real HTTP: in a thread of the test, or as the process that a lab starts."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from tests.postgres import free_port
from vidlab.lab.ready import announced, ready_file
from vidlab.processes import die_with_parent
from vidlab.settings import Settings

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


@contextmanager
def api_process(settings: Settings, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """`services.api` as the lab starts it, once it is ready; `more` goes into its environment."""
    ready_file(settings.state, settings.process).unlink(missing_ok=True)
    names = ("state", "process", "api_url", "container", "database_url")
    env = {f"VIDLAB_{name.upper()}": str(getattr(settings, name)) for name in names}
    env |= {f"VIDLAB_{name.upper()}": getattr(settings, name).get_secret_value() for name in ("storage", "api_token")}
    command = [sys.executable, "-m", "services.api"]
    process = subprocess.Popen(command, env=os.environ | env | more, preexec_fn=die_with_parent)
    try:
        deadline = time.monotonic() + 30
        while not announced(settings):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(10)
