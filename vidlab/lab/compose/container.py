"""One container of the lab as one of its processes: what Docker tells of it, and what is done to it."""

from __future__ import annotations

import time
from collections.abc import Set
from contextlib import suppress
from dataclasses import replace

from vidlab.errors import CannotDo, CommandFailed
from vidlab.lab.compose.project import Project, Seen
from vidlab.lab.process import REMEMBERED
from vidlab.lab.spec import Kind
from vidlab.lab.status import ProcessStatus, State

KILL_ALL = ("sh", "-c", "kill -9 -1")  # all but the container's first process, which is Docker's own small init
NOTICED = 2.0  # seconds in which Docker has noticed that a container ended
LOOK = 0.1  # seconds between two looks
CLEAR = 0.4  # seconds that a pause must have before the next health check begins
PATIENCE = 6.0  # seconds for a health check to end
FREEZES = 3  # tries
BUSY = "unable to freeze"  # a container whose processes start others just then (cgroup v1)


class Container:
    """One slot of the lab, in which Docker keeps a container running."""

    outside = False

    def __init__(self, project: Project, kind: Kind, name: str, held: Set[str]) -> None:
        """`held`: the names of those that a fault keeps down."""
        self.project = project
        self.kind = kind
        self.name = name
        self.wanted = True
        #: As it was seen last; None when there is none.
        self.seen: Seen | None = None
        self._held = held
        self.was_ready = False
        #: When the container began that was killed by us: until another begins, its end is certain.
        self._killed: float | None = None
        self._last: tuple[str, float] = ("", 0.0)
        self._resumed = 0.0  # when, in seconds since the epoch

    # -- what it is

    @property
    def number(self) -> int:
        """Its place among those of its kind; singletons are 0."""
        return int(self.name.rpartition(".")[2]) if self.kind.scalable else 0

    @property
    def alive(self) -> bool:
        return self.seen is not None and self.seen.status in ("running", "paused")

    @property
    def held(self) -> bool:
        """Does a fault keep it down?"""
        return self.name in self._held

    @property
    def killed(self) -> bool:
        """Was it killed by us, and has not begun again?"""
        return self._killed is not None and self.seen is not None and self._killed == self.seen.began

    def was_killed(self, before: Seen) -> bool:
        """Was it by us that what was seen before ended?"""
        return self._killed == before.began

    @property
    def paused(self) -> bool:
        return self.seen is not None and self.seen.status == "paused"

    @property
    def pid(self) -> int | None:
        return self.seen.pid if self.seen and self.alive and not self.killed else None

    @property
    def state(self) -> State:
        if self.seen is None or self.killed:
            return State.WAITING
        if self.seen.status == "paused":
            return State.PAUSED
        if self.seen.status == "running":
            return State.STARTING if self.seen.health == "starting" or self.kind.once else State.RUNNING
        if self.kind.once and self.seen.status == "exited" and self.seen.exit_code == 0:
            return State.DONE
        return State.WAITING

    @property
    def settled(self) -> bool:
        """Is it as it should be?"""
        return self.state in (State.RUNNING, State.DONE) and not (self.seen and self.seen.health == "unhealthy")

    def status(self) -> ProcessStatus:
        began = self.seen.began if self.seen and self.pid else None
        return ProcessStatus(
            name=self.name,
            kind=self.kind.name,
            pid=self.pid,
            state=self.state.value,
            restarts=self.seen.restarts if self.seen else 0,
            since=began,
            uptime=time.time() - began if began else None,
            stopping=not self.wanted,
            note=self._note(),
        )

    def _note(self) -> str:
        text, when = self._last
        if self.held:
            return "is kept down by a fault"
        if self.seen is None:
            return "is not made yet"
        if not self.wanted:
            return "stops when its task is done" if self.kind.patient else "is asked to stop"
        if self.seen.health == "unhealthy" and self.seen.status == "running":
            return "does not answer its health check"
        if self.seen.status == "exited" and self.state is State.WAITING and not self.killed:
            return f"was stopped; begin it with: vidlab --lab compose restart {self.name}"
        ago = time.time() - when
        return f"{text} {ago:.0f} s ago" if text and ago < REMEMBERED else ""

    def say(self, text: str) -> None:
        self._last = (text, time.time())

    def see_whether_paused(self) -> None:
        """Somebody may have said it to Docker alone since the last look."""
        if self.seen is not None and (now := self.project.container(self.seen.id)) is not None:
            self.seen = replace(self.seen, status=now.status)

    # -- what is done to it

    def kill(self) -> None:
        """Kill all that runs in it: Docker starts it again. While a fault holds it, Docker is told to kill it."""
        seen = self._there("killed")
        self._killed = seen.began
        if self.held or self.paused:  # who is frozen takes no command
            self.project.docker("kill", seen.id)  # for Docker that is a wish: it does not start it again
            if not self.held:
                self.project.docker("start", seen.id)
            return
        try:
            self.project.docker("exec", seen.id, *KILL_ALL)
        except CommandFailed as error:
            if self._is_there_still():
                self._killed = None
                raise CannotDo(name=self.name, done="killed", why=str(error)) from error

    def _is_there_still(self) -> bool:
        """Does the container that was meant go on? Who ends with what it killed gives no answer that counts."""
        deadline = time.monotonic() + NOTICED
        while time.monotonic() < deadline:
            now = self.project.container(self.seen.id) if self.seen else None
            if now is None or now.status not in ("running", "paused") or now.began != self._killed:
                return False
            time.sleep(LOOK)
        return True

    def pause(self) -> None:
        """Freeze it, between two health checks: one that is frozen while it starts holds up Docker for ever."""
        seen = self._there("paused")
        for left in reversed(range(FREEZES)):
            self._await_gap(seen)
            try:
                self.project.docker("pause", seen.id)
                break
            except CommandFailed as error:
                if BUSY not in str(error) or not left:
                    raise
        self.seen = replace(seen, status="paused")  # the next word may come before the next look

    def _await_gap(self, seen: Seen) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.project.until_check(seen.id, self._resumed) < CLEAR and time.monotonic() < deadline:
            time.sleep(LOOK)

    def resume(self) -> None:
        seen = self._there("resumed")
        self.project.docker("unpause", seen.id)
        self._resumed = time.time()
        self.seen = replace(seen, status="running")

    def restart(self) -> None:
        """Let it finish what it has in hand, as long as its service may take, and start it again."""
        self.project.begin("restart", self._there("restarted").id)

    def try_now(self) -> None:
        """Start it where it was stopped."""
        if self.seen is not None:
            with suppress(CommandFailed):  # it is on its way already; the next look sees
                self.project.docker("start", self.seen.id)

    def _there(self, done: str) -> Seen:
        if self.seen is None:
            raise CannotDo(name=self.name, done=done, why="its container is not made yet")
        return self.seen
