"""What VidLab finds on this machine: each part's version, where it is, whether it runs, and what to type."""

from __future__ import annotations

import contextlib
import platform
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from vidlab.errors import CommandFailed, PartMissing, PartTooOld, VidLabError
from vidlab.lab.folder import Folder
from vidlab.lab.needs import NEEDS, Need, version_of
from vidlab.lab.servers import SERVERS
from vidlab.lab.versions import told
from vidlab.programs import Found
from vidlab.settings import Settings

GIB = 1024**3
FREE_BYTES = 5 * GIB  # what a lab with some videos may take
ANSWER = 0.5  # seconds for a server to take a connection


class Health(StrEnum):
    """How a part is."""

    OK = "ok"
    TOO_OLD = "too old"
    MISSING = "missing"
    LOW = "low"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One line of what the doctor says."""

    name: str
    health: Health = Health.OK
    version: str = ""
    path: str = ""
    #: A setting, a wheel, the cache, the system.
    source: str = ""
    #: Does a lab's server answer? None for what is no server.
    running: bool | None = None
    #: What is wrong, and what to type.
    problem: str = ""
    advice: str = ""


def diagnose(settings: Settings) -> list[Part]:
    """Look for each part, and ask it for its version; the parts that a lab runs are asked whether they are there."""
    ports = _ports(settings)
    with ThreadPoolExecutor() as pool:
        needs = list(pool.map(lambda need: _examine(need, settings, ports), NEEDS))
    return [_python(), _uv(settings), *needs, _disk(settings)]


def is_well(parts: Sequence[Part]) -> bool:
    """Is nothing missing or too old?"""
    return all(part.health is Health.OK for part in parts)


def as_json(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """The parts as plain data."""
    return [asdict(part) for part in parts]


# -- how they are shown


def table(parts: Sequence[Part]) -> Table:
    """The parts as a table for the terminal, what is wrong under its part."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("part", "version", "", "from", "where"):
        made.add_column(column, overflow="fold")
    for part in parts:
        made.add_row(part.name, part.version, _state(part), part.source, part.path)
        for line in filter(None, (part.problem, part.advice and f"to do: {part.advice}")):
            made.add_row("", "", "", "", line)
    return made


def _state(part: Part) -> Text:
    running = ", running" if part.running else ""
    return Text(f"{part.health}{running}", style="green" if part.health is Health.OK else "red")


# -- the parts


def _examine(need: Need, settings: Settings, ports: Mapping[str, int]) -> Part:
    running = _answers(ports.get(need.name)) if need.name in SERVERS else None
    try:
        found = need.locate(settings)
    except PartMissing as error:
        return _wrong(need.name, Health.MISSING, error, running=running)
    return _ask(need, found, running)


def _ask(need: Need, found: Found, running: bool | None) -> Part:
    where: dict[str, Any] = {"path": str(found.path), "source": found.source, "running": running}
    try:
        return Part(name=need.name, version=version_of(need, found), **where)
    except PartTooOld as error:
        return _wrong(need.name, Health.TOO_OLD, error, version=str(error.facts["version"]), **where)
    except PartMissing as error:
        return _wrong(need.name, Health.MISSING, error, **where)


def _wrong(name: str, health: Health, error: VidLabError, **more: Any) -> Part:
    return Part(name=name, health=health, problem=str(error), advice=error.advice, **more)


def _ports(settings: Settings) -> Mapping[str, int]:
    """The ports of the lab that runs in the state folder; none when none does."""
    lab = Folder(settings.state).read_lab()
    return lab.ports if lab else {}


def _answers(port: int | None) -> bool:
    """Does somebody listen there?"""
    if port is None:
        return False
    with socket.socket() as client:
        client.settimeout(ANSWER)
        return client.connect_ex(("127.0.0.1", port)) == 0


def _python() -> Part:
    return Part(name="python", version=platform.python_version(), path=sys.executable, source=".venv")


def _uv(settings: Settings) -> Part:
    """Only the set-up uses it, and brings it: that it is not here is no harm."""
    system = [Found(Path(path), "system") for path in (shutil.which("uv"),) if path]
    for found in (*system, *(Found(path, "cache") for path in settings.cache.glob("uv-*/bin/uv"))):
        with contextlib.suppress(CommandFailed):  # a shim that leads nowhere
            version = told("--version", r"uv ([\d.]+)")(found)
            return Part(name="uv", version=version, path=str(found.path), source=found.source)
    return Part(name="uv", source="make setup brings it")


def _disk(settings: Settings) -> Part:
    """The free space where the state folder is, or will be."""
    folder = settings.state.absolute()
    free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free
    size = f"{free / GIB:.0f} GiB free"
    if free >= FREE_BYTES:
        return Part(name="disk", version=size, path=str(folder), source="state folder")
    problem, advice = f"a lab takes up to {FREE_BYTES // GIB} GiB", "vidlab reset, or export VIDLAB_STATE=/other/folder"
    return Part(name="disk", health=Health.LOW, version=size, path=str(folder), problem=problem, advice=advice)
