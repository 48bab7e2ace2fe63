"""What containers write, kept as the local lab keeps it: a file for each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from vidlab.lab.compose.project import Project, kind_of
from vidlab.lab.folder import Folder

log = logging.getLogger(__name__)

AGAIN = 1.0  # seconds; when no container is there yet, there is nothing to follow
LINE = 1024 * 1024  # bytes
#: worker_360p-1  | text; compose writes what clears a line before it, though it was told not to colour anything.
PREFIXED = re.compile(rb"(?:\x1b\[\d*K)*(?P<service>[\w.-]+?)(-(?P<number>\d+))?\s*\| ?(?P<text>.*)", re.DOTALL)


class Logs:
    """The files, written by one `docker compose logs --follow`."""

    def __init__(self, project: Project, folder: Folder) -> None:
        self.project = project
        self.folder = folder
        #: What compose said last that is no container's line.
        self._said = b""

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Write down what comes, and what came before, as long as the block lasts."""
        for path in self.folder.logs.glob("*.log"):
            if path.stem != "supervisor":
                path.unlink(missing_ok=True)  # Docker tells it again
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _follow(self) -> None:
        since: list[str] = []
        while True:
            words = self.project.command("logs", "--follow", "--no-color", *since)
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=LINE,
            )
            try:
                assert process.stdout is not None
                await self._write_all(process.stdout)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                await process.wait()
            if process.returncode and self._said:
                log.warning("docker compose logs: %s", self._said.decode(errors="replace").strip())
                self._said = b""
            since = ["--since", datetime.now(UTC).isoformat()]
            await asyncio.sleep(AGAIN)

    async def _write_all(self, told: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await told.readline()
            except ValueError:  # longer than LINE: it is left out
                continue
            if not line:
                return
            self._write(line)

    def _write(self, line: bytes) -> None:
        found = PREFIXED.fullmatch(line)
        if found is None:
            self._said = line
            return
        kind = self.project.kinds.get(kind_of(found["service"].decode()))
        if kind is None:
            return
        path = self.folder.log_of(kind.process_name(int(found["number"] or 1)))
        with contextlib.suppress(OSError), path.open("ab") as file:
            file.write(found["text"])
