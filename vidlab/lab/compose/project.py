"""One project of docker compose, by its own command line: the only place that starts `docker`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import re
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from vidlab.errors import CommandFailed, LabFailed, PartMissing
from vidlab.lab.ports import HOST
from vidlab.lab.servers.command import SERVICES
from vidlab.lab.shell import run
from vidlab.lab.spec import Kind, make_spec
from vidlab.settings import Settings

log = logging.getLogger(__name__)

FILE = SERVICES.parent / "docker-compose.yml"
ANSWER = 60.0  # seconds for an answer of Docker's
LABEL = "com.docker.compose"
LINES = 5  # of what a command printed, when it did not end well
#: How Docker's versions say that somebody else has a port.
TAKEN = ("address already in use", "port is already allocated")
GIVE_ANOTHER = "Another program has that port: give the lab another one in .env, and type it again."
ALL = ("--profile", "*")  # words of compose: those services too that come only when they are asked for

#: Services that are not called as in the spec of the local lab.
CALLED = {"clamav": "clamd"}
#: Settings that say how containers reach each other, or live: the host has its own.
INSIDE = ("VIDLAB_API_INSIDE", "VIDLAB_API_LISTEN", "VIDLAB_STATE", "VIDLAB_CACHE")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A container as Docker tells it."""

    id: str
    service: str
    #: Which of its service's containers, from 1.
    number: int
    #: created, running, paused, restarting, exited or dead.
    status: str
    #: starting, healthy, unhealthy, or "" where there is no health check.
    health: str
    #: The process of the host that is the container's first.
    pid: int | None
    exit_code: int
    restarts: int
    #: Seconds since the epoch.
    began: float


class Project:
    """The project that a compose file and the `.env` beside it name."""

    def __init__(self, file: Path = FILE) -> None:
        self.file = file
        #: Commands that are under way; asked after so that none stays as a zombie.
        self._begun: list[tuple[list[str], subprocess.Popen[bytes]]] = []

    # -- commands

    def command(self, *words: str) -> list[str]:
        """The words of `docker compose` for this project."""
        return ["docker", "compose", "--ansi", "never", "--file", str(self.file), *words]

    def compose(self, *words: str, seconds: float | None = None) -> str:
        """Have compose do something. Raises CommandFailed with what it printed, and PartMissing."""
        return _docker(self.command(*words), seconds)

    def docker(self, *words: str, seconds: float = ANSWER, given: str = "") -> str:
        """Have Docker do something to containers; `given` is what the command reads.

        Raises CommandFailed with what it printed, and PartMissing.
        """
        return _docker(["docker", *words], seconds, given)

    async def run(self, words: Sequence[str]) -> None:
        """A command that takes its time: it is ended with who waits for it. Raises LabFailed with what it printed."""
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            printed, _ = await process.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            raise
        if process.returncode:
            raise LabFailed(why=_failure(words, printed))

    def begin(self, *words: str) -> None:
        """Have Docker do something that nobody waits for, such as a restart after a worker's last task."""
        command = ["docker", *words]
        log.info("%s", shlex.join(command))
        nothing = subprocess.DEVNULL
        self._begun.append((command, subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=subprocess.PIPE)))

    def failures(self) -> list[str]:
        """What those printed that were begun, and did not end well, since this was asked last."""
        over = [one for one in self._begun if one[1].poll() is not None]
        self._begun[:] = [one for one in self._begun if one not in over]
        printed = [(command, process.communicate()[1], process.returncode) for command, process in over]
        return [_failure(command, told) for command, told, code in printed if code]

    # -- what there is to be

    @cached_property
    def config(self) -> dict[str, Any]:
        """The file as compose reads it, with what `.env` says."""
        return dict(json.loads(self.compose(*ALL, "config", "--format", "json", seconds=ANSWER)))

    @property
    def name(self) -> str:
        """The project's name."""
        return str(self.config["name"])

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """Each service as a kind of process: those of the local lab, and the others behind them."""
        spec = {kind.name: kind for kind in make_spec()}
        services = [kind_of(service) for service in self.config["services"]]
        own = {name: kind for name, kind in spec.items() if name in services}
        return own | {name: Kind(name=name, server=True) for name in services if name not in own}

    @cached_property
    def service(self) -> dict[str, str]:
        """The service of each kind."""
        return {kind_of(service): service for service in self.config["services"]}

    @cached_property
    def by_default(self) -> frozenset[str]:
        """The kinds that come without being asked for: those of no profile."""
        services = self.config["services"].items()
        return frozenset(kind_of(name) for name, service in services if not service.get("profiles"))

    def settings(self, state: Path) -> Settings:
        """What the containers are told, with the addresses that this machine reaches them by."""
        published = self.published
        environment: Mapping[str, str | None] = self.config["services"]["keeper"]["environment"]
        given = {name: value for name, value in environment.items() if value and name not in INSIDE}
        values = {name.removeprefix("VIDLAB_").lower(): _outside(value, published) for name, value in given.items()}
        return Settings(**{**values, "state": state})

    @property
    def published(self) -> dict[str, int]:
        """Service -> its port on this machine."""
        services = self.config["services"].items()
        return {name: int(service["ports"][0]["published"]) for name, service in services if service.get("ports")}

    @cached_property
    def gateway(self) -> str:
        """The address of this machine that containers reach; "" where Docker has none."""
        words = ("network", "inspect", "bridge", "--format", "{{range .IPAM.Config}}{{.Gateway}} {{end}}")
        return next(iter(self.docker(*words).split()), "")

    # -- what there is

    def containers(self) -> list[Seen]:
        """Its containers, those that have exited too. Raises CommandFailed."""
        listed = self.docker("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={LABEL}.project={self.name}")
        if not (found := listed.split()):
            return []
        seen = self._inspected(*found)
        return self.containers() if seen is None else seen  # (one of them went in between)

    def container(self, number: str) -> Seen | None:
        """One of them by its id; None when it is there no more. Raises CommandFailed."""
        return next(iter(self._inspected(number) or ()), None)

    def until_check(self, number: str, resumed: float = 0.0) -> float:
        """Seconds until Docker begins that container's next health check; less than 0 while one may be under way.

        `resumed`: when it was resumed last, in seconds since the epoch. Raises CommandFailed.
        """
        return _until_check(json.loads(self.docker("inspect", number))[0], resumed) - time.time()

    def _inspected(self, *numbers: str) -> list[Seen] | None:
        """What Docker tells of these; None when one of them is there no more."""
        try:
            told = self.docker("inspect", *numbers)
        except CommandFailed as error:
            if "no such object" in str(error).lower():
                return None
            raise
        return [_seen(record) for record in json.loads(told) if _is_own(record)]


def kind_of(service: str) -> str:
    """What the local lab calls it."""
    return CALLED.get(service, service.replace("_", "-"))


def _docker(words: Sequence[str], seconds: float | None, given: str = "") -> str:
    try:
        return run(words, seconds=seconds, given=given, apart=True)
    except CommandFailed as error:
        if isinstance(error.__cause__, FileNotFoundError):
            command = "Install Docker Engine 25 or newer with its compose plugin, then type it again."
            raise PartMissing(part="docker", why="it is not in the search path", command=command) from error
        raise


def _failure(words: Sequence[str], printed: bytes) -> str:
    lines = [line for line in printed.decode(errors="replace").splitlines() if line.strip()][-LINES:]
    advice = [GIVE_ANOTHER] if any(one in line for one in TAKEN for line in lines) else []
    return "\n".join([f"{shlex.join(words)} did not end well:", *lines, *advice])


def _outside(value: str, published: Mapping[str, int]) -> str:
    """Addresses of containers as those of this machine's ports."""
    for service, port in published.items():
        value = re.sub(rf"(?<![\w.-]){service}:\d+", f"{HOST}:{port}", value)
    return value


def _is_own(record: Mapping[str, Any]) -> bool:
    """A container of `docker compose run` is nobody's process."""
    return str(record["Config"]["Labels"].get(f"{LABEL}.oneoff", "")).lower() != "true"


def _seen(record: Mapping[str, Any]) -> Seen:
    state, labels = record["State"], record["Config"]["Labels"]
    return Seen(
        id=record["Id"],
        service=labels[f"{LABEL}.service"],
        number=int(labels[f"{LABEL}.container-number"]),
        status=state["Status"],
        health=state.get("Health", {}).get("Status", ""),
        pid=state["Pid"] or None,
        exit_code=state["ExitCode"],
        restarts=record["RestartCount"],
        began=_seconds(state["StartedAt"]),
    )


def _until_check(record: Mapping[str, Any], resumed: float) -> float:
    """When the next health check begins: Docker counts from the last one's end, or from when the container went on."""
    state, check = record["State"], record["Config"].get("Healthcheck") or {}
    if "Health" not in state:
        return math.inf
    ends = [_seconds(one["End"]) for one in state["Health"].get("Log") or ()]
    at_first = check.get("StartInterval") if state["Health"]["Status"] == "starting" else None
    nanoseconds: int = at_first or check["Interval"]
    return max([_seconds(state["StartedAt"]), resumed, *ends]) + nanoseconds / 1e9


def _seconds(text: str) -> float:
    """Docker writes nanoseconds, and the year 1 for never."""
    when = datetime.fromisoformat(re.sub(r"\.\d+", "", text).replace("Z", "+00:00"))
    fraction = re.search(r"\.\d+", text)
    return when.timestamp() + float(fraction[0] if fraction else 0) if when.year > 1 else 0.0
