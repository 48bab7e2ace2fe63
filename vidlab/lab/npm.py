"""Has npm fetch what a lock says; the Node that runs it, and npm itself, come from a wheel."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vidlab.errors import PartMissing
from vidlab.lab.cache import Report
from vidlab.lab.shell import run
from vidlab.programs import find
from vidlab.settings import Settings

LOCK = "package-lock.json"
POLL = 0.3  # seconds between looks at how far npm is


def locked(project: Path) -> tuple[Path, ...]:
    """The files of a project's folder that say what is fetched."""
    return project / "package.json", project / LOCK, project / ".npmrc"


def install(project: Path, into: Path, settings: Settings, report: Report) -> None:
    """Fetch a project's locked packages into `into/node_modules`. Raises PartMissing, CommandFailed."""
    for file in locked(project):
        shutil.copy(file, into)
    node = find("node", settings).path
    # No install scripts: none is needed here, and a script may fetch anything.
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(settings.cache / "npm"))
    with _watched(into, report):
        run([node, _npm(node), "ci", *options], cwd=into)


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
    total = sum(name != "" for name in json.loads((folder / LOCK).read_text())["packages"])

    def watch() -> None:
        while not over.wait(POLL):
            report(min(_packages_in(folder / "node_modules"), total), total)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield
    over.set()
    watcher.join()
    report(total, total)


def _packages_in(folder: Path) -> int:
    return sum(1 for path in (*folder.glob("*"), *folder.glob("@*/*")) if path.name[0] not in "@.")
