"""Single real servers, started by the commands that a lab gets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from tests.waiting import until
from vidlab.lab.launch import launch, signal_group
from vidlab.lab.ports import is_free
from vidlab.lab.servers import SERVERS, server_command
from vidlab.settings import Settings

NAMES = (*SERVERS, "kafka-controller")
GONE = 20.0  # seconds between SIGTERM and its end


def free_ports() -> dict[str, int]:
    """A free port for each server."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in NAMES]
        return {name: one.getsockname()[1] for name, one in zip(NAMES, sockets, strict=True)}


@contextmanager
def running(name: str, state: Path, ports: Mapping[str, int]) -> Iterator[subprocess.Popen[bytes]]:
    """That server, from when its port answers; afterwards it and all that it started are gone."""
    command = server_command(name, state, ports, Settings())
    process = launch(command, dict(os.environ), state / f"{name}.log")
    try:
        until(lambda: not is_free(ports[name]) or process.poll() is not None, f"{name} answers")
        assert process.poll() is None, (state / f"{name}.log").read_text()
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to go; it goes, and nothing of its group stays."""
    try:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(GONE)
    finally:
        signal_group(process.pid, signal.SIGKILL)
        process.wait()
    assert not [one for one in psutil.pids() if group_of(one) == process.pid], "it left something behind"


def group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
