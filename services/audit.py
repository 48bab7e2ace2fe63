"""Are there known holes in what the locks name? Told by pip-audit and npm, when their index can be asked.

Exit code 1 only when a hole is found. An index that does not answer, or not about this, is told and no failure: what
is right must not depend on the network.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SERVICES = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
#: It holds all that the other locks hold.
LOCK = SERVICES / "requirements-dev.txt"
ASKED = 5  # seconds for one answer
PATIENCE = 180  # seconds for all


class NotAudited(Exception):
    """Nobody could be asked; why."""


def python_holes() -> Iterator[str]:
    """Of the Python packages; of one first, because an index that tells of no holes is slow to say so of all."""
    pinned = [line.split()[0] for line in LOCK.read_text().splitlines() if "==" in line and not line.startswith(" ")]
    _ask_about(pinned[:1])
    for one in _ask_about(pinned):
        yield from (f"{one['name']} {one['version']}: {hole['id']}" for hole in one["vulns"])


def _ask_about(pinned: list[str]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="vidlab-audit-") as folder:
        lock = Path(folder) / "requirements.txt"
        lock.write_text("\n".join(pinned))
        options = ("--disable-pip", "--no-deps", "--progress-spinner", "off", "--format", "json", "--timeout", ASKED)
        found = _answer(BIN / "pip-audit", "--requirement", lock, *options)
    told = [one for one in found.get("dependencies", ()) if "vulns" in one]
    if not told:
        raise NotAudited("the index tells of no holes")
    return told


def npm_holes() -> Iterator[str]:
    """Of Azurite, of what the widgets are made of, and of what both bring."""
    for project in ("azurite", "widgets"):
        yield from _npm_holes(SERVICES / project)


def _npm_holes(project: Path) -> Iterator[str]:
    found = _answer(BIN / "npm", "audit", "--json", "--package-lock-only", "--prefix", project)
    if "vulnerabilities" not in found:
        raise NotAudited(str(found.get("message") or "the index tells of no holes").partition(" - ")[0])
    for name, one in found["vulnerabilities"].items():
        yield f"{name} {one['range']}: {one['severity']}"


def _answer(*words: object) -> dict[str, Any]:
    """What a command says in JSON: it exits with 1 when it found something, and when it could not ask."""
    try:
        done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=PATIENCE)
        return dict(json.loads(done.stdout))
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise NotAudited("the index does not answer") from error


#: What is audited, and how.
AUDITS: dict[str, Callable[[], Iterator[str]]] = {"Python packages": python_holes, "npm packages": npm_holes}


def main() -> int:
    """Tell of each, and give the exit code."""
    code = 0
    for name, holes in AUDITS.items():
        try:
            found = list(holes())
        except NotAudited as error:
            sys.stdout.write(f"{name}: not audited, {error}\n")
            continue
        sys.stdout.write("".join(f"{name}: {hole}\n" for hole in found) or f"{name}: no known holes\n")
        code = 1 if found else code
    return code


if __name__ == "__main__":
    sys.exit(main())
