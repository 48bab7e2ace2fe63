"""The set-up's step that bundles the widgets' JavaScript: npm fetches what is locked, esbuild puts it together."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from rich.console import Console

from vidlab.bundles import BUNDLES, WHOLE
from vidlab.errors import VidLabError
from vidlab.lab import cache, npm
from vidlab.lab.servers.command import SERVICES
from vidlab.lab.shell import run
from vidlab.programs import find
from vidlab.settings import Settings

FILES = SERVICES / "widgets"
BUILD = FILES / "build.mjs"


def fetched(settings: Settings) -> Path:
    """Where the set-up puts the locked packages."""
    return settings.cache / f"widgets-{cache.key(*npm.locked(FILES))}"


def bundle(settings: Settings, target: Path = BUNDLES) -> list[str]:
    """Put all bundles into `target`, at once: who reads there sees the old ones or the new. Gives their names.

    Raises PartMissing, CommandFailed.
    """
    home = fetched(settings)
    cache.fill(home, lambda draft: npm.install(FILES, draft, settings, lambda done, total: None))
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        run([find("node", settings).path, BUILD, home / "node_modules", draft], cwd=FILES)
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return [str(name) for name in json.loads((target / WHOLE.name).read_text())]


def main() -> int:
    """`python -m vidlab.lab.bundling`, for the bootstrap, and for who changes a widget."""
    console = Console(highlight=False)
    try:
        names = bundle(Settings())
    except VidLabError as error:
        console.print(f"vidlab: {error}\n  {error.advice}", markup=False, soft_wrap=True)
        return 1
    console.print(f"  {'widgets':17} {len(names)} bundles")
    return 0


if __name__ == "__main__":
    sys.exit(main())
