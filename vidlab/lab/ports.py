"""Ports: the usual one when it is free, else the next free one; the same again at the next start."""

from __future__ import annotations

import contextlib
import fcntl
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from vidlab.errors import LabFailed
from vidlab.lab.claims import open_claim
from vidlab.lab.folder import write_private
from vidlab.settings import Settings

HOST = "127.0.0.1"
USUAL = {"kafka": 9092, "kafka-controller": 9093, "redis": 6379, "azurite": 10000, "clamd": 3310, "api": 8000}
#: Where servers listen that stand behind a link, so that the usual ports are the links'.
BEHIND = {"kafka-behind": 19092, "redis-behind": 16379, "azurite-behind": 11000}
#: How many ports after the usual one are tried.
TRIES = 200


@dataclass
class Ports:
    """The ports of one lab, reserved against other labs of this user until the end of the `with` block."""

    #: Where the choice is kept.
    file: Path
    #: Ports that the user asked for by name; they are not replaced when taken.
    pinned: Mapping[str, int] = field(default_factory=dict)
    #: What needs a port, each with the one that is tried first.
    usual: Mapping[str, int] = field(default_factory=lambda: USUAL)
    chosen: dict[str, int] = field(default_factory=dict)
    #: Why each is not the usual one, for people; empty when it is.
    reasons: dict[str, str] = field(default_factory=dict)
    #: Pinned ports that another program held when they were chosen.
    taken: set[str] = field(default_factory=set)
    #: The same for all labs of this user, wherever they keep their scratch files: there they meet.
    claims: Path = field(default_factory=lambda: Settings().cache / "ports")
    _claims: list[IO[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._choose()
        return self

    def __exit__(self, *_: object) -> None:
        for claim in self._claims:
            claim.close()

    def _choose(self) -> None:
        before = self._read()
        for name, usual in self.usual.items():
            self.chosen[name] = self._pin(name) if name in self.pinned else self._find(before.get(name), usual)
            self.reasons[name] = self._reason(name, usual, before.get(name))
        # What was asked for this once is not what the lab keeps.
        kept = {name: port for name, port in self.chosen.items() if name not in self.pinned}
        write_private(self.file, json.dumps({**before, **kept}))

    def _reason(self, name: str, usual: int, before: int | None) -> str:
        """Why it is not the usual port; empty when it is."""
        if self.chosen[name] == usual:
            return ""
        if name in self.pinned:
            return "as you set it"
        return "as before" if self.chosen[name] == before else f"{usual} is taken"

    def _pin(self, name: str) -> int:
        port = self.pinned[name]
        if not self._claim(port):
            self.taken.add(name)
        return port

    def _find(self, before: int | None, usual: int) -> int:
        # A lab that comes back after another took the usual port keeps its own: clients may remember it.
        candidates = ([before] if before else []) + list(range(usual, usual + TRIES))
        for port in candidates:
            if port not in self.pinned.values() and self._claim(port):
                return port
        raise LabFailed(why=f"No port is free between {usual} and {usual + TRIES - 1}.")

    def _claim(self, port: int) -> bool:
        """Reserve a free port. Between the choice and the server's start another lab must not choose it too."""
        claim = open_claim(self.claims, port)
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            claim.close()
            return False
        if not is_free(port):
            claim.close()
            return False
        self._claims.append(claim)
        return True

    def _read(self) -> dict[str, int]:
        return _kept(self.file)


def listen_as_before(file: Path, name: str) -> socket.socket:
    """Listen on the port that was kept under that name, or on any where it is taken; which one is kept in `file`.

    Pages that are open speak to the lab at the port of last time.
    """
    kept = _kept(file)
    listener = _listener(kept.get(name, 0))
    write_private(file, json.dumps({**kept, name: listener.getsockname()[1]}))
    return listener


def _listener(port: int) -> socket.socket:
    if port and is_free(port):
        with contextlib.suppress(OSError):  # taken in between
            return socket.create_server((HOST, port))
    return socket.create_server((HOST, 0))


def _kept(file: Path) -> dict[str, int]:
    try:
        return {str(name): int(port) for name, port in json.loads(file.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def any_free() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Can a server listen there? It is asked, too: a system may let two listen on one port."""
    with socket.socket() as probe, socket.socket() as client:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
        client.settimeout(0.5)
        return client.connect_ex((HOST, port)) != 0
