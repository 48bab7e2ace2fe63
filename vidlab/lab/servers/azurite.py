"""Azurite: Microsoft's own emulator of Azure's blob storage, by npm's lock, run by the Node of a wheel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from vidlab.errors import PartMissing
from vidlab.lab import cache, npm
from vidlab.lab.cache import Report
from vidlab.lab.servers.command import SERVICES, ServerCommand, make_folder
from vidlab.programs import Found, correct, find, variable
from vidlab.settings import Settings

FILES = SERVICES / "azurite"
DURABLE = FILES / "durable.cjs"
PACKAGE = Path("node_modules") / "azurite"
PROGRAM = PACKAGE / "dist" / "src" / "blob" / "main.js"
#: The newest API versions of the client are not known to it, but the calls are; nothing is reported to anyone.
OPTIONS = ("--skipApiVersionCheck", "--disableTelemetry", "--silent")


def azurite_command(state: Path, ports: Mapping[str, int], settings: Settings) -> ServerCommand:
    """The blob service alone; its data is in the state folder. Raises PartMissing."""
    home = make_folder(state / "azurite")
    where = ["--blobHost", "127.0.0.1", "--blobPort", str(ports["azurite"]), "--location", str(home)]
    program = find_azurite(settings).path / PROGRAM
    return ServerCommand(
        argv=[str(find("node", settings).path), "-r", str(DURABLE), str(program), *where, *OPTIONS],
        env={"NODE_COMPILE_CACHE": str(settings.cache / "node")},
        cwd=home,
    )


# -- where it is


def cached(settings: Settings) -> Path:
    """Where the set-up puts the locked packages."""
    return settings.cache / f"azurite-{cache.key(*npm.locked(FILES))}"


def find_azurite(settings: Settings) -> Found:
    """The folder into which npm installed it. Raises PartMissing."""
    home, source, command = cached(settings), "cache", "make setup"
    if settings.azurite_home:
        name = variable("azurite_home")
        home, source, command = Path(settings.azurite_home), name, correct(name)
    if not (home / PROGRAM).exists():
        raise PartMissing(part="azurite", why=f"{home / PROGRAM} is not there", command=command)
    return Found(home.absolute(), source)


def azurite_version(found: Found) -> str:
    """It stands in its package; "" when it does not."""
    try:
        return str(json.loads((found.path / PACKAGE / "package.json").read_text())["version"])
    except (OSError, ValueError, KeyError):
        return ""


# -- set-up


def install_azurite(settings: Settings, report: Report) -> None:
    """Have npm fetch the locked packages into the user's cache. Raises PartMissing, CommandFailed."""
    cache.fill(cached(settings), lambda draft: npm.install(FILES, draft, settings, report))
