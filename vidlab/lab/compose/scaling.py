"""How many containers of each kind are wanted, what Docker was asked for, and what it has made of that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping

from vidlab.errors import LabFailed, VidLabError
from vidlab.lab.compose.project import Project
from vidlab.lab.journal import Journal

FROZEN = "cannot start a paused container"


class Scaling:
    """Wanted counts. Whoever changes them wakes the loop, which has `match` ask Docker."""

    def __init__(self, project: Project, journal: Journal, wake: Callable[[], None]) -> None:
        self.project = project
        self.journal = journal
        self.wake = wake
        self.kinds = project.kinds
        #: Kind -> how many are wanted; of those that come without being asked for.
        self.counts = {name: kind.count for name, kind in self.kinds.items() if name in project.by_default}
        self._asked: dict[str, int] = {}  # counts that Docker was asked for
        self._there: dict[str, int] = {}  # how many of each kind there were at the last look
        self._task: asyncio.Task[None] | None = None

    @property
    def is_under_way(self) -> bool:
        return self._task is not None and not self._task.done()

    def words(self) -> Iterator[str]:
        """The options of `docker compose up` for what is wanted otherwise than by default."""
        for kind, count in self.counts.items():
            if count != self.kinds[kind].count:
                yield f"--scale={self.project.service[kind]}={count}"

    def take_over(self, there: Mapping[str, int], *, attach: bool) -> None:
        """As many as there are of a kind are wanted; with `attach` also where there is none."""
        for name, kind in self.kinds.items():
            if kind.scalable and (attach or there.get(name)):
                self.counts[name] = there.get(name, 0)
        self._asked = dict(self.counts)

    def follow(self, there: Mapping[str, int]) -> bool:
        """Who scales by Docker alone means it: what has stood for two looks, and was not asked for here, is wanted.

        Were counts changed by that?
        """
        stands = {kind for kind, count in there.items() if count and count == self._there.get(kind)}
        self._there = dict(there)
        if self.is_under_way:
            return False
        adopted = {kind: there[kind] for kind in stands if self._was_not_asked_for(kind, there[kind])}
        for kind, count in adopted.items():
            before, self.counts[kind], self._asked[kind] = self.counts[kind], count, count
            self.journal.tell("scaled", kind, f"from {before} to {count}, by Docker", before=before, count=count)
        return bool(adopted)

    def _was_not_asked_for(self, kind: str, count: int) -> bool:
        return self.kinds[kind].scalable and count != self.counts[kind] == self._asked.get(kind)

    def match(self) -> None:
        """Have compose make, or take away, what is wanted otherwise than it was asked for."""
        if self.is_under_way:
            return
        changed = {kind: count for kind, count in self.counts.items() if self._asked.get(kind) != count}
        self._task = asyncio.create_task(self._scale(changed)) if changed else None

    async def end(self) -> None:
        """Have no scaling under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _scale(self, changed: Mapping[str, int]) -> None:
        services = {self.project.service[kind]: count for kind, count in changed.items()}
        words = [f"--scale={service}={count}" for service, count in services.items()]
        self._asked.update(changed)
        try:
            await self._make(self.project.command("create", "--no-recreate", *words, *services))
            await asyncio.to_thread(self._start_made, services)
        except VidLabError as error:
            for kind in changed:  # so that the same word may be said again
                self.counts[kind] = self._asked[kind] = self._there.get(kind, 0)
                self.journal.tell("failed", kind, str(error))
        self.wake()

    async def _make(self, words: list[str]) -> None:
        """Make and remove containers. Compose would start the others too, which it cannot where one is paused."""
        try:
            await self.project.run(words)
        except LabFailed as error:
            if FROZEN not in str(error):
                raise

    def _start_made(self, services: Collection[str]) -> None:
        made = [one.id for one in self.project.containers() if one.service in services and one.status == "created"]
        if made:
            self.project.docker("start", *made)
