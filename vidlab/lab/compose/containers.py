"""The containers of a lab: what is wanted of them, what Docker makes of that, and what happened to them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from typing import NoReturn

from vidlab.errors import CannotDo, CommandFailed, VidLabError
from vidlab.lab.compose.container import Container
from vidlab.lab.compose.project import ALL, Project, Seen, kind_of
from vidlab.lab.compose.scaling import Scaling
from vidlab.lab.folder import Folder
from vidlab.lab.journal import Journal
from vidlab.lab.status import State
from vidlab.problem import as_problem

log = logging.getLogger(__name__)

TICK = 0.3  # seconds between two looks while something is on its way
REST = 1.0  # seconds between two looks when nothing is
GRACE = 10  # seconds between SIGTERM and SIGKILL when the lab goes down, as in the local lab
MARK = "/state/run/disk-full"  # in each container of ours: one folder for all

#: Faults that a container cannot have, and why.
IMPOSSIBLE = {
    "clock-off": "a container's environment is fixed when it is made; the local lab has this fault",
    **dict.fromkeys(
        ("slow-link", "cut-link", "reset-link"),
        "containers reach each other without a link between them; the local lab has this fault: vidlab up --links",
    ),
}


class Containers:
    """Wanted counts, the containers there are, and the journal of what happened to them."""

    def __init__(self, project: Project, folder: Folder) -> None:
        self.project = project
        self.folder = folder
        self.journal = Journal()
        self.kinds = project.kinds
        self.scaling = Scaling(project, self.journal, self.wake)
        self.counts = self.scaling.counts
        self.held: set[str] = set()
        self.ending = asyncio.Event()
        self.processes: dict[str, Container] = {}
        #: Called when counts or pids are no longer what they were.
        self.on_change: Callable[[], None] = lambda: None
        #: Called in a thread when the API's container has begun: through it those that people use are told something.
        self.on_api: Callable[[Seen], None] = lambda seen: None
        self._api_began = 0.0
        #: Waited for when the lab is closed, before its containers go.
        self.on_end: Callable[[], Awaitable[object]] = _nothing
        #: Taken by each look and each order: what Docker said before an order must not be taken for what came of it.
        self._turn = asyncio.Lock()
        self._told: tuple[dict[str, int], dict[str, int]] = ({}, {})
        self.began = time.monotonic()
        self.is_up = False
        self._wake = asyncio.Event()
        self._full = False  # is the disk to be full?
        self._is_full: bool | None = None  # is it? Somebody may have left the mark

    @property
    def closing(self) -> bool:
        return self.ending.is_set()

    # -- the loop

    async def take_over(self, *, attach: bool) -> None:
        """See what is there already: as many as there are of a kind are wanted. With `attach` that is the lab."""
        self.is_up = attach
        found = await asyncio.to_thread(self.project.containers)
        there = Counter(kind_of(one.service) for one in found if one.status != "exited")
        self.scaling.take_over(there, attach=attach)
        self.see(found)

    async def run(self, *, attach: bool = False) -> None:
        """Bring the containers up, tell what happens to them until the lab is closed, and take them down.

        With `attach` none is started: what is there is the lab.
        """
        coming = asyncio.create_task(self._arrived() if attach else self._come_up())
        try:
            while not self.closing:
                await self._look()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), REST if self._is_calm() else TICK)
                self._wake.clear()
        finally:
            coming.cancel()
            await asyncio.gather(coming, self.scaling.end(), return_exceptions=True)
            await self.on_end()
        await asyncio.to_thread(self.project.compose, *ALL, "down", "--timeout", str(GRACE))
        self.journal.tell("down", "lab")

    async def _come_up(self) -> None:
        words = self.project.command("up", "--detach", "--wait", "--no-recreate", *self.scaling.words())
        try:
            await self.project.run(words)
        except VidLabError as error:
            if not self.closing:
                self.journal.tell("failed", "lab", str(error), **as_problem(error))
            return
        await self._arrived()

    async def _arrived(self) -> None:
        await self._look()
        self.is_up = True
        self.journal.tell("up", "lab", seconds=time.monotonic() - self.began)

    def wake(self) -> None:
        """Look at once: something was changed."""
        self._wake.set()

    async def _look(self) -> None:
        async with self._turn:
            try:
                found = await asyncio.to_thread(self.project.containers)
            except CommandFailed as error:  # Docker itself may be starting anew
                self.journal.tell("failed", "docker", str(error))
                return
            self.see(found)
            await asyncio.to_thread(self._as_faults_want)
        for why in self.project.failures():
            self.journal.tell("failed", "docker", why)
        self._scale()
        await self._greet()
        now = (dict(self.counts), {one.name: one.pid for one in self.in_order() if one.pid is not None})
        if now != self._told:
            self._told = now
            self.on_change()

    async def _greet(self) -> None:
        api = self.processes["api"].seen if "api" in self.processes else None
        if api and api.status == "running" and api.began != self._api_began:
            try:
                await self.do(lambda: self.on_api(api))
            except VidLabError as error:  # it ended meanwhile; the next one is told
                log.info("not told: %s", error)
            else:
                self._api_began = api.began

    def _is_calm(self) -> bool:
        return (
            self.is_up
            and not self.scaling.is_under_way
            and all(one.settled or one.paused for one in self.processes.values())
        )

    # -- what is seen

    def see(self, found: Collection[Seen]) -> None:
        """Take in what Docker tells, and note what became of whom."""
        self.match_counts()
        by_name = {self._name(one): one for one in found if kind_of(one.service) in self.kinds}
        for name, seen in by_name.items():
            kind = self.kinds[kind_of(seen.service)]
            slot = self.processes.setdefault(name, Container(self.project, kind, name, self.held))
            before, state = slot.seen, slot.state
            slot.seen = seen
            self._note(slot, before, state)
        for name in [name for name in self.processes if name not in by_name]:
            self._gone(self.processes[name])
        self._mark_wanted()

    def _name(self, seen: Seen) -> str:
        return self.kinds[kind_of(seen.service)].process_name(seen.number)

    def _note(self, slot: Container, before: Seen | None, state: State) -> None:
        """Tell what changed since the look before."""
        seen = slot.seen
        assert seen is not None
        if before and before.status in ("running", "paused") and _ended_since(before, seen):
            self._tell_end(slot, before, seen)
        if seen.status == "running" and (before is None or before.began != seen.began or before.status == "created"):
            self.journal.tell("started", slot.name, pid=slot.pid, restarts=seen.restarts)
        if slot.settled and (state != slot.state or (before is not None and before.began != seen.began)):
            kind = "done" if slot.state is State.DONE else "ready"
            self.journal.tell(kind, slot.name, _met(slot), pid=slot.pid, port=self._port(slot))
            slot.was_ready = True

    def _tell_end(self, slot: Container, before: Seen, seen: Seen) -> None:
        if slot.kind.once and seen.exit_code == 0:
            return
        killed = slot.was_killed(before)
        text = "killed by you" if killed else f"exited with code {seen.exit_code}" if seen.exit_code else "ended"
        slot.say(text)
        self.journal.tell("exited", slot.name, text, restarts=seen.restarts)

    def _port(self, slot: Container) -> int | None:
        return self.project.published.get(self.project.service[slot.kind.name])

    def _gone(self, slot: Container) -> None:
        if slot.seen is not None:
            self.journal.tell("stopped", slot.name)
            slot.seen = None
        if slot.name not in self._wanted(slot.kind.name):
            del self.processes[slot.name]

    def _of(self, kind: str) -> list[Container]:
        return sorted((one for one in self.processes.values() if one.kind.name == kind), key=lambda one: one.number)

    def in_order(self) -> list[Container]:
        """The containers in the order of the kinds, each kind's by number."""
        return [one for kind in self.kinds for one in self._of(kind)]

    # -- counts

    def _wanted(self, kind: str) -> list[str]:
        """The names of those that are wanted: the numbers that there are, and then the next ones."""
        there = [one.name for one in self._of(kind) if one.seen is not None]
        names = [
            self.kinds[kind].process_name(number) for number in range(1, len(there) + self.counts.get(kind, 0) + 1)
        ]
        return [*there, *(name for name in names if name not in there)][: self.counts.get(kind, 0)]

    def match_counts(self) -> None:
        """Have a slot for each container that is wanted; those that are too many go with the next look."""
        for kind in self.counts:
            for name in self._wanted(kind):
                self.processes.setdefault(name, Container(self.project, self.kinds[kind], name, self.held))
        self._mark_wanted()

    def _mark_wanted(self) -> None:
        for slot in list(self.processes.values()):
            asked = slot.kind.name in self.counts
            slot.wanted = not asked or slot.name in self._wanted(slot.kind.name)
            if slot.seen is None and not slot.wanted:
                del self.processes[slot.name]

    def _scale(self) -> None:
        """Want what somebody said to Docker alone, and have Docker do what was said here."""
        if not self.is_up:
            return
        there = {kind: sum(one.seen is not None for one in self._of(kind)) for kind in self.counts}
        if self.scaling.follow(there):
            self._mark_wanted()
        self.scaling.match()

    # -- orders

    async def do(self, deed: Callable[[], None]) -> None:
        """In a thread, for Docker takes its time; and not while it is looked at what there is."""
        async with self._turn:
            await asyncio.to_thread(deed)

    async def kill_pid(self, pid: int) -> list[str]:
        """A container's processes belong to other users of the system: they are killed with it, by its name."""
        why = "processes in containers are killed by the name of their container"
        raise CannotDo(name=f"process {pid}", done="killed", why=why)

    def close(self) -> None:
        """Take the lab down: `run` returns when no container is left."""
        if not self.closing:
            self.ending.set()
            self.journal.tell("closing", "lab")
        self.wake()

    # -- what faults ask for

    def check_fault(self, name: str) -> None:
        """Raises CannotDo for what a container cannot have."""
        if name in IMPOSSIBLE:
            raise CannotDo(name=name, done="had in containers", why=IMPOSSIBLE[name])

    def set_clock(self, name: str, seconds: float) -> NoReturn:
        """Raises CannotDo."""
        raise CannotDo(name=name, done=f"set {seconds:.0f} s ahead", why=IMPOSSIBLE["clock-off"])

    def fill_disk(self, full: bool) -> None:
        """Let no process write to its scratch folder, or let all do it again. Raises CannotDo, CommandFailed."""
        if full:
            self._mark_disk(full)
        self._full = full
        if not full:
            with contextlib.suppress(VidLabError):  # the next look does it
                self._mark_disk(full)

    def _mark_disk(self, full: bool) -> None:
        slot = next((one for one in self.processes.values() if _is_told(one)), None)
        if slot is None or slot.seen is None:
            raise CannotDo(name="scratch", done="filled", why="no container runs that would do it")
        self.project.docker("exec", slot.seen.id, *(["touch"] if full else ["rm", "-f"]), MARK)
        self._is_full = full

    def _as_faults_want(self) -> None:
        """Who was just being started when the fault began is killed now; the disk is full, or no longer."""
        for slot in list(self.processes.values()):
            if slot.held and slot.alive and not slot.killed:
                with contextlib.suppress(VidLabError):  # it ended meanwhile; the next look sees
                    slot.kill()
        if self._is_full != self._full:
            with contextlib.suppress(VidLabError):  # nobody is there who could be told; the next look sees
                self._mark_disk(self._full)


def _is_told(slot: Container) -> bool:
    """Does it run, and see the folder with the mark?"""
    shares = slot.kind.name == "keeper" or slot.kind.scalable
    return shares and slot.seen is not None and slot.seen.status == "running" and not slot.killed


async def _nothing() -> None:
    """What is waited for where there is nothing to wait for."""


def _ended_since(before: Seen, seen: Seen) -> bool:
    """Has what was seen before ended, though another began in its place?"""
    return before.began != seen.began or seen.status not in ("running", "paused")


def _met(slot: Container) -> str:
    if slot.state is State.DONE:
        return "exited with code 0"
    return "healthy" if slot.seen and slot.seen.health == "healthy" else "runs"
