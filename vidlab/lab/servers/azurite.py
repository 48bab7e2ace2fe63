"""Azurite: Microsoft's own emulator of Azure's blob storage, by npm's lock, run by the Node of a wheel."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vidlab.errors import PartMissing
from vidlab.lab import cache
from vidlab.lab.cache import Report
from vidlab.lab.servers.command import SERVICES, ServerCommand, make_folder
from vidlab.lab.shell import run
from vidlab.programs import Found, correct, find, variable
from vidlab.settings import Settings

FILES = SERVICES / "azurite"
LOCKED = (FILES / "package.json", FILES / "package-lock.json", FILES / ".npmrc")
DURABLE = FILES / "durable.cjs"
PACKAGE = Path("node_modules") / "azurite"
PROGRAM = PACKAGE / "dist" / "src" / "blob" / "main.js"
#: The newest API versions of the client are not known to it, but the calls are; nothing is reported to anyone.
OPTIONS = ("--skipApiVersionCheck", "--disableTelemetry", "--silent")
POLL = 0.3  # seconds between looks at how far npm is


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
    return settings.cache / f"azurite-{cache.key(*LOCKED)}"


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
    cache.fill(cached(settings), lambda draft: _npm_ci(draft, settings, report))


def _npm_ci(draft: Path, settings: Settings, report: Report) -> None:
    for file in LOCKED:
        shutil.copy(file, draft)
    node = find("node", settings).path
    # No install scripts: none is needed here, and a script may fetch anything.
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(settings.cache / "npm"))
    with _watched(draft / "node_modules", report):
        run([node, _npm(node), "ci", *options], cwd=draft)


def _npm(node: Path) -> Path:
    """The npm that came with that Node, else the one on the search path. Raises PartMissing."""
    beside = node.resolve().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    on_path = shutil.which("npm")
    if not beside.exists() and not on_path:
        raise PartMissing(part="npm", why=f"neither {beside} is there, nor npm", command="make setup FORCE=1")
    return beside if beside.exists() else Path(on_path or "").resolve()


@contextmanager
def _watched(folder: Path, report: Report) -> Iterator[None]:
    """Tell how many packages have come; npm itself is silent in a pipe."""
    over = threading.Event()
    total = sum(name != "" for name in json.loads(LOCKED[1].read_text())["packages"])

    def watch() -> None:
        while not over.wait(POLL):
            report(min(_packages_in(folder), total), total)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield
    over.set()
    watcher.join()
    report(total, total)


def _packages_in(folder: Path) -> int:
    return sum(1 for path in (*folder.glob("*"), *folder.glob("@*/*")) if path.name[0] not in "@.")
