"""A real Azurite for as long as a test session lasts: it can be paused, killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import free_port
from vidlab.lab.ready import azurite as answers
from vidlab.lab.servers.azurite import azurite_command
from vidlab.processes import die_with_parent
from vidlab.settings import Settings, azurite_connection_string

START = 30.0  # seconds


class Azurite:
    """One server, with its data in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.connection_string = azurite_connection_string("127.0.0.1", self.port)
        self.process: subprocess.Popen[bytes] | None = None

    def settings(self, **more: object) -> Settings:
        """Settings that lead to it."""
        return Settings.model_validate({"storage": self.connection_string, **more})

    def start(self) -> None:
        """Returns when it answers. It dies with the thread that calls this."""
        command = azurite_command(self.folder, {"azurite": self.port}, Settings())
        with (self.folder / "azurite.log").open("ab") as log:
            self.process = subprocess.Popen(
                command.argv,
                env=dict(os.environ) | command.env,
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        deadline = time.monotonic() + START
        while not answers(self.settings()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"Azurite did not start:\n{(self.folder / 'azurite.log').read_text()[-2000:]}")
            time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It holds its connections and does not answer."""
        self.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(signal.SIGCONT)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """It is not there."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def stop(self) -> None:
        assert self.process
        self.process.terminate()
        self.process.wait(START)


@contextmanager
def running_azurite(folder: Path) -> Iterator[Azurite]:
    """Start one on a free port; afterwards it is gone."""
    azurite = Azurite(folder)
    azurite.start()
    try:
        yield azurite
    finally:
        azurite.stop()
