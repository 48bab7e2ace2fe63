"""The second half of the set-up: brings the servers that no wheel carries into the user's cache.

The first half, `services/bootstrap.py`, makes the environment that this runs in.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from vidlab.errors import VidLabError
from vidlab.lab import cache
from vidlab.lab.needs import NEEDS, Need, version_of
from vidlab.programs import Found, variable
from vidlab.settings import Settings

#: In the environment's folder: what the set-up relies on besides, and the settings that had it there. When one of them
#: is gone, or another, it runs again.
STAMP = "vidlab-parts"
CHOICES = ("cache", "kafka_home", "azurite_home", "clamd_program")  # as services/environment.py has them
BAR = 20  # columns


def setup(settings: Settings, console: Console, *, force: bool = False) -> None:
    """Bring all that is missing, at once, and show how far it is. Raises the first error when all were tried."""
    rows = [need for need in NEEDS if need.install]
    if force:
        _forget(rows, settings)
    with Setup(settings, console) as shown, ThreadPoolExecutor() as pool:
        errors = list(pool.map(shown.bring, rows))
    for error in filter(None, errors):
        raise error
    _stamp(rows, settings)


class Setup:
    """The set-up while it goes on: a bar for each row in a terminal, a line when it is done elsewhere."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self.settings = settings
        self.console = console
        columns = (TextColumn("  {task.description:17}"), BarColumn(BAR), TextColumn("{task.fields[note]}"))
        self.bars = Progress(*columns, console=console, disable=not console.is_terminal)

    def __enter__(self) -> Setup:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def bring(self, need: Need) -> VidLabError | None:
        """Look for it, fetch it when it is missing or too old, and give what went wrong."""
        bar = self.bars.add_task(need.name, total=None, note="")
        try:
            name, note = self._there(need) or self._fetched(need, bar)
        except VidLabError as error:
            self._show(bar, need.name, "missing", done=0)
            return error
        self._show(bar, name, note, done=1)
        return None

    def _there(self, need: Need) -> tuple[str, str] | None:
        try:
            found = need.locate(self.settings)
            return _name(need, found), f"found at {found.path}"
        except VidLabError:
            return None

    def _fetched(self, need: Need, bar: TaskID) -> tuple[str, str]:
        assert need.install, "the rows are those that have one"
        unit, last = need.install.unit, 0

        def report(done: int, total: int) -> None:
            nonlocal last
            last = total
            self.bars.update(bar, completed=done, total=total, note=f"{done} of {total} {unit}")

        need.install.run(self.settings, report)
        return _name(need, need.locate(self.settings)), f"{last} {unit}"

    def _show(self, bar: TaskID, name: str, note: str, *, done: int) -> None:
        self.bars.update(bar, description=name, note=note, completed=done, total=1)
        if self.bars.disable:
            self.console.print(f"  {name:17} {note}", soft_wrap=True)


def _name(need: Need, found: Found) -> str:
    return f"{need.name} {version_of(need, found)}"


def _forget(rows: list[Need], settings: Settings) -> None:
    for need in rows:
        if need.install:
            cache.forget(need.install.cached(settings))


def _stamp(rows: list[Need], settings: Settings) -> None:
    parts = {"choices": choices(settings), "paths": [str(need.locate(settings).path) for need in rows]}
    (Path(sys.prefix) / STAMP).write_text(json.dumps(parts, indent=1))


def choices(settings: Settings) -> dict[str, str]:
    """The settings that decide where the servers are, by their variables."""
    return {variable(name): str(getattr(settings, name)) for name in CHOICES}


def main() -> int:
    """`python -m vidlab.lab.install [--force]`: what `vidlab setup` does, for the bootstrap."""
    console = Console(highlight=False)
    try:
        setup(Settings(), console, force="--force" in sys.argv[1:])
    except VidLabError as error:
        console.print(f"vidlab: {error}\n  {error.advice}", markup=False, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
