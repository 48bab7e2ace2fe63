"""What a lab tells about itself and its processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from vidlab.lab.spec import matching

#: The servers and the database: their addresses are told as URLs.
ENDPOINTS = ("kafka", "redis", "azurite", "clamd", "database")


class State(StrEnum):
    """What a process may be."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    #: Wanted, but not there: it waits for another process, or for its next try.
    WAITING = "waiting"
    #: It cannot be started; trying again would not help.
    FAILED = "failed"
    #: It ran once, as it should.
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class ProcessStatus:
    """A process as it is told to others."""

    name: str
    kind: str
    #: None when it is not there, or runs outside of the lab.
    pid: int | None
    state: str
    restarts: int
    #: When it was started, seconds since the epoch, and for how long it has been there.
    since: float | None = None
    uptime: float | None = None
    #: It was asked to stop, and finishes what it has in hand.
    stopping: bool = False
    #: It belongs to the user, who gave its address; the lab neither starts nor stops it.
    outside: bool = False
    #: One line for people: what happened to it last, or what it does.
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def as_status(record: Mapping[str, Any]) -> ProcessStatus:
    """A status as it came over the wire; keys that are not known here are left out."""
    return ProcessStatus(**{name: record[name] for name in ProcessStatus.__dataclass_fields__ if name in record})


@dataclass(frozen=True, kw_only=True)
class LabStatus:
    """What `vidlab status` shows."""

    #: up, starting or down.
    state: str
    api_url: str | None = None
    processes: list[ProcessStatus] = field(default_factory=list)
    #: URLs, without passwords; None when the lab is down.
    endpoints: dict[str, str | None] = field(default_factory=lambda: dict.fromkeys(ENDPOINTS))
    #: When the lab was started, seconds since the epoch.
    since: float | None = None
    disk_bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def process(self, name: str) -> ProcessStatus:
        """The process of that name, the first one when a kind is named. Raises UnknownProcess."""
        found = matching(name, [one.name for one in self.processes])[0]
        return next(one for one in self.processes if one.name == found)
