"""`LocalLab`: a lab on this machine, as Python says it. The command line says the same words."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vidlab.errors import LabFailed, LabNotRunning, SupervisorSilent, UnknownProcess, VidLabError
from vidlab.lab import logs
from vidlab.lab.client import Client
from vidlab.lab.folder import Folder, LabFile
from vidlab.lab.identity import MARK, is_alive
from vidlab.lab.journal import Event
from vidlab.lab.launch import signal_one
from vidlab.lab.scratch import Scratch, scratch_of
from vidlab.lab.spec import matching
from vidlab.lab.status import ENDPOINTS, LabStatus, as_status
from vidlab.lab.sweep import sweep
from vidlab.problem import from_problem
from vidlab.settings import Settings

log = logging.getLogger(__name__)

POLL = 0.05  # seconds
BIRTH = 20.0  # seconds in which a supervisor must be there
EVENT_WAIT = 5.0  # seconds
DOWN = 60.0  # seconds in which a supervisor must have taken its lab down; then it is ended with all that is left

OnEvent = Callable[[Event], None]

#: Supervisors that this process started; they are asked after so that none stays as a zombie.
_started: list[subprocess.Popen[bytes]] = []


class LocalLab:
    """One lab and its state folder. It attaches to the lab that runs there, if one does.

    As a context manager it is up inside, and down afterwards. Every method but `up`, `down`, `reset`, `status` and
    `logs` raises LabNotRunning when the lab is down.
    """

    def __init__(
        self,
        state: Path | str | None = None,
        *,
        counts: Mapping[str, int] | None = None,
        env: Mapping[str, str] | None = None,
        with_parent: bool = False,
    ) -> None:
        #: `counts`: how many of a kind are wanted at the start, where it is not one.
        self.counts = dict(counts or {})
        #: Settings for this lab's processes alone, as environment variables.
        self.env = dict(env or {})
        #: Does the lab go down when this process ends?
        self.with_parent = with_parent
        self.folder = Folder(Path(state) if state is not None else Settings().state)

    def __repr__(self) -> str:
        return f"LocalLab({str(self.folder.root)!r})"

    def __enter__(self) -> Self:
        return self.up()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    # -- up and down

    @property
    def running(self) -> bool:
        """Does a supervisor run this lab?"""
        return self.folder.read_lab() is not None

    def up(self, on_event: OnEvent = lambda event: None) -> Self:
        """Start the lab, and return when each process was ready once; at once when it is up already.

        Raises NotReady, PartMissing or LabFailed; then the lab is down, as before.
        """
        self.folder.make()
        with self.folder.locked("up"):
            if not self.running or self._look().state != "up":
                self._come_up(on_event)
        return self

    def _come_up(self, on_event: OnEvent) -> None:
        if self.running:  # somebody else has begun it, and sees to its end
            self._follow(on_event)
            return
        try:
            self._begin()
            self._follow(on_event)
        except BaseException as error:
            error.add_note(self._give_up())
            raise

    def _give_up(self) -> str:
        """Leave things as they were before `up`, and say so."""
        self.down()
        return "Nothing was lost: the lab is down, as before."

    def _begin(self, *words: str) -> None:
        sweep(self.folder)
        born = self._spawn(*words)
        deadline = time.monotonic() + BIRTH
        while not self.running:
            if born.poll() is not None or time.monotonic() > deadline:
                line = logs.last_line(self.folder.log_of("supervisor"))
                raise LabFailed(why=f"The lab's supervisor did not start: {line}")
            time.sleep(POLL)

    def _spawn(self, *words: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self.env, MARK: self.folder.lab_id, "VIDLAB_PROCESS": "supervisor"}
        with self.folder.log_of("supervisor").open("ab") as output:
            born = subprocess.Popen(
                [*self._command(), *words],
                env=environment,
                stdin=subprocess.PIPE if self.with_parent else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # closing the terminal does not reach it
            )
        _started.append(born)
        return born

    def _command(self) -> list[str]:
        counts = [f"--count={kind}={count}" for kind, count in self.counts.items()]
        parent = ["--with-parent"] if self.with_parent else []
        return [*self._supervisor(), "--state", str(self.folder.root), *counts, *parent]

    def _supervisor(self) -> list[str]:
        return [sys.executable, "-P", "-m", "vidlab.lab.supervisor"]

    def _follow(self, on_event: OnEvent) -> None:
        for event in self._events_while_running():
            on_event(event)
            if event.kind in ("late", "failed"):
                raise _failure(event)
            if event.kind == "closing":
                break
            if event.kind == "up":
                return
        raise LabFailed(why="The lab was taken down while it started.")

    def _events_while_running(self) -> Iterator[Event]:
        last = 0
        try:
            while True:
                for event in self.events(last, wait=EVENT_WAIT):
                    yield event
                    last = event.id
        except LabNotRunning:
            return

    def down(self) -> None:
        """Take the lab down, keep its data, and leave no process, however the lab ended."""
        lab = self.folder.read_lab()
        if lab is not None:
            self._ask_down(lab)
        if self.folder.is_lab:
            sweep(self.folder)
            self.folder.forget_lab()
        _reap()

    def _ask_down(self, lab: LabFile) -> None:
        signal_one(lab.pid, signal.SIGCONT)  # it may have been stopped
        try:
            self._client().down()
        except SupervisorSilent:  # it would not end by itself either
            return
        except VidLabError as error:  # it goes already
            log.info("not asked to go down: %s", error)
        deadline = time.monotonic() + DOWN
        while is_alive(lab.pid, lab.lab_id) and time.monotonic() < deadline:
            time.sleep(POLL)
            _reap()

    def reset(self) -> None:
        """Take the lab down and forget its data."""
        self.down()
        self.folder.forget_data()

    # -- questions

    def status(self) -> LabStatus:
        """What runs, and where; also when the lab is down."""
        return replace(self._look(), disk_bytes=self.folder.disk_bytes())

    def _look(self) -> LabStatus:
        try:
            told = self._client().status()
        except LabNotRunning:
            return LabStatus(state="down")
        processes = [as_status(one) for one in told["processes"]]
        kept = {name: told[name] for name in ("state", "api_url", "since")}
        servers = {name: told["endpoints"][name] for name in ENDPOINTS}
        return LabStatus(processes=processes, endpoints=servers, **kept)

    def settings(self) -> Settings:
        """Settings with this lab's addresses."""
        return self._settings(self._read().settings)

    def _settings(self, addresses: Mapping[str, Any]) -> Settings:
        return Settings(**{"state": self.folder.root, **addresses})

    @property
    def control(self) -> tuple[str, str]:
        """Where the supervisor listens, and the lab's secret."""
        return self._read().control_url, self.folder.secret

    def scratch(self) -> list[Scratch]:
        """What lies where work in progress lies."""
        return scratch_of(self.folder.root)

    def events(self, after: int = 0, wait: float = 0) -> list[Event]:
        """What the supervisor did after that event; waits so many seconds for news."""
        return self._client().events(after, wait)

    def log_files(self, name: str) -> dict[str, Path]:
        """The log of each process that the name means, those of earlier processes too.

        Raises UnknownProcess, and LabNotRunning where there never was a lab.
        """
        if not self.folder.is_lab:
            raise LabNotRunning(state=self.folder.root)
        found = {path.stem: path for path in sorted(self.folder.logs.glob("*.log"))}
        return {one: found[one] for one in matching(name, list(found))}

    def logs(self, name: str, lines: int = 50) -> str:
        """The last lines of the log of a process, or of each of a kind."""
        return "".join(logs.tail(path, lines).text for path in self.log_files(name).values())

    # -- orders

    def scale(self, kind: str, count: int) -> int:
        """Change how many of a kind are wanted, and give how many were. Surplus ones finish their task first."""
        return self._client().scale(kind, count)

    def kill(self, name: str | int) -> list[str]:
        """End processes at once: one, all of a kind, or a single process of the system by its pid."""
        client = self._client()
        return client.kill_pid(name) if str(name).isdecimal() else client.act("kill", str(name))

    def pause(self, name: str) -> list[str]:
        """Stop processes where they stand, with all that they started."""
        return self._client().act("pause", name)

    def resume(self, name: str) -> list[str]:
        """Let paused processes go on."""
        return self._client().act("resume", name)

    def restart(self, name: str) -> list[str]:
        """Let processes finish what they have in hand, then start them again."""
        return self._client().act("restart", name)

    def fault(self, name: str, target: str = "", seconds: float | None = None) -> dict[str, Any]:
        """Begin a fault of `vidlab.lab.faults.FAULTS`; it ends by itself after so many seconds, or with the lab.

        Raises UnknownFault, UnknownProcess, CannotDo, BadRequest.
        """
        return self._client().fault(name, target, seconds)

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are on."""
        return self._client().faults()

    def faults_over(self, number: int | None = None) -> list[dict[str, Any]]:
        """End a fault, or all of them, at once."""
        return self._client().faults_over(number)

    def wait(self, name: str, state: str = "running", seconds: float = 30.0) -> LabStatus:
        """Wait until each process that the name means is in that state. Raises LabFailed when that takes longer."""
        deadline = time.monotonic() + seconds
        while True:
            status = self._look()
            meant = [one for one in status.processes if one.name in _meant(name, status)]
            states = {one.name: one.state for one in meant}
            if states and set(states.values()) == {state} and not any(one.stopping for one in meant):
                return status
            if time.monotonic() > deadline:
                raise LabFailed(why=f"After {seconds:.0f} s {name} is not {state}: {states or 'there is none'}.")
            time.sleep(POLL)

    def wait_for_none(self, kind: str, seconds: float = 30.0) -> None:
        """Wait until there is none of that kind any more. Raises LabFailed when that takes longer."""
        deadline = time.monotonic() + seconds
        while left := _meant(kind, self._look()):
            if time.monotonic() > deadline:
                raise LabFailed(why=f"After {seconds:.0f} s {', '.join(left)} is still there.")
            time.sleep(POLL)

    def _client(self) -> Client:
        return Client(self.folder, self._read())

    def _read(self) -> LabFile:
        lab = self.folder.read_lab()
        if lab is None:
            raise LabNotRunning(state=self.folder.root)
        return lab


def _meant(name: str, status: LabStatus) -> list[str]:
    try:
        return matching(name, [one.name for one in status.processes])
    except UnknownProcess:
        return []


def _failure(event: Event) -> VidLabError:
    return from_problem(event.facts)


def _reap() -> None:
    over = [born for born in _started if born.poll() is not None]  # asked once: it may end between two questions
    for born in over:
        if born.stdin:
            born.stdin.close()
    _started[:] = [born for born in _started if born not in over]
