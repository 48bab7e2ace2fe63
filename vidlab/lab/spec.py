"""The process spec: every kind of process of a lab, derived from the tables of profiles and stages.

A kind is a row of the spec; a process is one of its members (`worker-360p.2`). Singletons have no number.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vidlab.errors import UnknownKind, UnknownProcess
from vidlab.profiles import PROFILES, Profile, stages

#: `-P` keeps the folder in which somebody typed `vidlab up` out of the import path.
PYTHON = (sys.executable, "-P", "-m")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One row of the spec."""

    name: str
    #: What to run; None for a server, whose command is found when the lab starts (`vidlab.lab.servers`).
    command: tuple[str, ...] | None = None
    #: Kinds that must have been ready once before this one is started.
    after: tuple[str, ...] = ()
    #: Name of the ready condition in `vidlab.lab.ready.CONDITIONS`.
    ready: str = "announced"
    #: How many are wanted when a lab starts.
    count: int = 1
    #: May more or fewer than one be wanted? Then its processes are numbered.
    scalable: bool = False
    #: Runs once and exits 0.
    once: bool = False
    #: Stopped last when the lab goes down.
    server: bool = False
    #: The setting that, when the user set it, says that this server runs elsewhere and is not started.
    outside: str | None = None
    #: What it cannot work without, of `vidlab.programs.PROGRAMS`.
    programs: tuple[str, ...] = ()
    #: When fewer are wanted, it may take as long as its task takes to go.
    patient: bool = False
    #: Seconds between SIGTERM and SIGKILL when the lab goes down.
    grace: float = 10.0

    @property
    def module(self) -> str | None:
        """The module of ours that it runs, if it does: that need not be imported anew for each process."""
        return module_of(self.command or ())

    def process_name(self, number: int) -> str:
        """The name of its n-th process, counted from 1."""
        return f"{self.name}.{number}" if self.scalable else self.name


#: Servers first, then what stands on them. A Kafka that is not given its time checks its whole log at the next start.
_SERVERS = (
    Kind(name="kafka", ready="kafka", server=True, outside="kafka", grace=20.0),
    Kind(name="redis", ready="redis", server=True, outside="redis_url"),
    Kind(name="azurite", ready="azurite", server=True, outside="storage"),
    Kind(name="clamd", ready="clamd", server=True, outside="clamd"),
)


def make_spec(profiles: Sequence[Profile] = PROFILES) -> tuple[Kind, ...]:
    """The kinds of a lab with those profiles, in the order in which they are shown."""
    names = [stage.name for stage in stages(tuple(profiles))]
    return (
        *_SERVERS,
        _ours("init", once=True, ready="exited", after=("kafka", "azurite")),
        _ours("api", ready="api"),
        _ours("keeper"),
        *(_ours("consumer", name, scalable=True) for name in names),
        *(_ours("worker", name, scalable=True, patient=True, programs=("ffmpeg", "ffprobe")) for name in names),
    )


def _ours(module: str, *stage: str, after: tuple[str, ...] = ("init",), **more: Any) -> Kind:
    name, command = "-".join((module, *stage)), (*PYTHON, f"services.{module}", *stage)
    return Kind(name=name, command=command, after=after, **more)


def module_of(command: Sequence[str]) -> str | None:
    """The Python module that a command runs."""
    return command[len(PYTHON)] if tuple(command[: len(PYTHON)]) == PYTHON else None


# -- names


def normal(name: str) -> str:
    """The name as the lab writes it: `-` and `_` are the same to whoever types it."""
    return name.strip().lower().replace("_", "-")


def kind_name(name: str) -> str:
    """The kind of a process: its name without the number."""
    return re.sub(r"\.\d+$", "", name)


def kind_named(name: str, kinds: Mapping[str, Kind]) -> Kind:
    """The kind that is meant by a name that somebody typed. Raises UnknownKind."""
    by_normal = {normal(kind): kind for kind in kinds}
    try:
        return kinds[by_normal[normal(name)]]
    except KeyError:
        raise UnknownKind(name=name) from None


def matching(name: str, processes: Sequence[str]) -> list[str]:
    """The processes that a name means: itself, or all of its kind. Raises UnknownProcess when there is none."""
    wanted = normal(name)
    found = [one for one in processes if wanted in (normal(one), normal(kind_name(one)))]
    if not found:
        raise UnknownProcess(name=name)
    return found
