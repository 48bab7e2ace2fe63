"""Live bars on a terminal; a line per change in a pipe or in CI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.live import Live
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from vidlab.commands.common import out
from vidlab.views.video import BAR_WIDTH, lines, picture

#: Called with the bytes that are there, and with all.
OnBytes = Callable[[int, int], None]
#: Called with each new answer of `GET /videos/{hash}`.
OnChange = Callable[[dict[str, Any]], None]


@contextmanager
def sending(file: Path, *, quiet: bool) -> Iterator[OnBytes]:
    """A bar for an upload; nothing where there is no terminal: the line after it says enough."""
    if quiet or not out.is_terminal:
        yield lambda done, total: None
        return
    columns = (TextColumn("  {task.description}"), BarColumn(BAR_WIDTH), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=out, transient=True) as progress:
        task = progress.add_task(f"upload {file.name}", total=file.stat().st_size)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def watching(*, quiet: bool) -> Iterator[OnChange]:
    """The bars of a video's stages, as long as the block lasts."""
    if quiet:
        yield lambda video: None
    elif out.is_terminal:
        with Live(console=out, refresh_per_second=8) as live:
            yield lambda video: live.update(picture(video, datetime.now(UTC)))
    else:
        yield _Lines().tell


class _Lines:
    """Prints what changed since the last look."""

    def __init__(self) -> None:
        self.before: dict[str, Any] | None = None

    def tell(self, video: dict[str, Any]) -> None:
        for line in lines(self.before, video, datetime.now(UTC)):
            out.print(line)
        self.before = video
