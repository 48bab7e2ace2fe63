"""The crew: the processes of a lab, what is wanted of them, and `reconcile`, which makes reality match."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import time
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence

from vidlab.errors import LabFailed, NotReady, UnknownProcess, VidLabError
from vidlab.lab import logs
from vidlab.lab.addresses import environment
from vidlab.lab.folder import Folder
from vidlab.lab.forks import Launcher
from vidlab.lab.identity import belongs
from vidlab.lab.journal import Journal
from vidlab.lab.launch import Command, signal_one
from vidlab.lab.ports import Ports
from vidlab.lab.process import Process
from vidlab.lab.ready import CONDITIONS, ready_file
from vidlab.lab.spec import Kind
from vidlab.lab.status import State
from vidlab.lab.verbs import act
from vidlab.pipeline.scratch import full_mark
from vidlab.problem import as_problem
from vidlab.settings import Settings

TICK = 0.1  # seconds between two looks while something is on its way
REST = 1.0  # seconds between two looks when nothing is
TRIES = 3  # a process that exits that often before it was ever ready does not get ready
FOLDER_CHECK = 5.0  # seconds
TAIL = 12  # lines of a log that go with a failure

#: Finds what to run for a kind; may raise VidLabError, and may take its time.
Resolve = Callable[[Kind], Command]


class Crew:
    """Wanted counts, the processes there are, and `reconcile`, which closes the difference."""

    def __init__(
        self,
        kinds: Sequence[Kind],
        folder: Folder,
        settings: Settings,
        *,
        resolve: Resolve,
        ports: Ports,
        outside: Collection[str] = (),
    ) -> None:
        """`outside`: settings in which the user gave the address of a server of his own."""
        self.kinds = {kind.name: kind for kind in kinds}
        self.folder = folder
        self.settings = settings
        self.resolve = resolve
        self.ports = ports
        self.outside = outside
        #: Processes that a fault keeps down.
        self.held: set[str] = set()
        #: What a fault adds to the environment of a process.
        self.extra: dict[str, dict[str, str]] = {}
        #: Called when counts or pids are no longer what they were.
        self.on_change: Callable[[], None] = lambda: None
        self._told: tuple[dict[str, int], dict[str, int]] = ({}, {})
        self.journal = Journal()
        modules = {kind.module for kind in kinds if kind.module}
        self.launcher = Launcher(
            sorted(modules), self.environment("nursery"), folder.log_of("nursery"), on_end=self.wake
        )
        self.counts = {kind.name: kind.count for kind in kinds}
        self.processes: dict[str, Process] = {}
        self.began = time.monotonic()
        self.is_up = False
        #: Set when the lab begins to go down.
        self.ending = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}  # commands looked for, conditions asked
        self._late: set[str] = set()
        self._wake = asyncio.Event()
        self._folder_seen = 0.0

    @property
    def closing(self) -> bool:
        return self.ending.is_set()

    # -- the loop

    async def run(self) -> None:
        """Keep reality as it is wanted, until the lab is closed and nothing is left."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._wake.set)
        await self.launcher.warm()
        while not self.reconcile():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), TICK if self._is_moving() else REST)
            self._wake.clear()
        await self.launcher.close()
        self.journal.tell("down", "lab")

    def wake(self) -> None:
        """Look at once: something was changed."""
        self._wake.set()

    def reconcile(self) -> bool:
        """Make reality match what is wanted, as far as it can be done now. True when the lab is closed and empty."""
        self.match_counts()
        self.launcher.let_go_on()
        for process in list(self.processes.values()):
            self._collect(process)
            process.kill_when_late()
            process.see_whether_paused()
        if self.closing:
            return self._retire()
        for process in self.processes.values():
            self._advance(process)
        self._see_whether_up()
        self._tell_changes()
        self._look_at_folder()
        return False

    def pids(self) -> dict[str, int]:
        """The processes that are there."""
        return {one.name: one.pid for one in self.in_order() if one.pid is not None}

    def _tell_changes(self) -> None:
        if (now := (dict(self.counts), self.pids())) != self._told:
            self._told = now
            self.on_change()

    def _is_moving(self) -> bool:
        settled = (State.RUNNING, State.PAUSED, State.DONE, State.FAILED)
        return self.closing or any(one.stopping or one.state not in settled for one in self.processes.values())

    def match_counts(self) -> None:
        """Have a slot for each process that is wanted, and ask those to go that are too many."""
        for kind in self.kinds.values():
            names = [kind.process_name(number) for number in range(1, self.counts[kind.name] + 1)]
            for name in names:
                if name not in self.processes:
                    self.processes[name] = self._new(kind, name)
                self.processes[name].wanted = True
            for surplus in [one for one in self._of(kind) if one.name not in names]:
                self._release(surplus)

    def _new(self, kind: Kind, name: str) -> Process:
        outside = kind.outside in self.outside
        return Process(kind, name, self.folder.log_of(name), outside=outside)

    def _release(self, surplus: Process) -> None:
        surplus.wanted = False
        surplus.drain()
        if not surplus.alive and surplus.name not in self._busy:
            del self.processes[surplus.name]

    def in_order(self) -> list[Process]:
        """The processes in the order of the spec, each kind's by number."""
        return [one for kind in self.kinds.values() for one in sorted(self._of(kind), key=lambda one: one.number)]

    def _of(self, kind: Kind) -> list[Process]:
        return [one for one in self.processes.values() if one.kind is kind]

    # -- starting

    def environment(self, name: str) -> dict[str, str]:
        """The environment of the process of that name."""
        return environment(self.settings, self.folder, name) | self.extra.get(name, {})

    def _advance(self, process: Process) -> None:
        if process.name in self._busy:
            return
        if process.may_start and process.name not in self.held and self._others_ready(process):
            self._do(process, self._start(process))
        elif process.state is State.STARTING:
            self._do(process, self._ask(process))
            self._see_whether_late(process)

    def _do(self, process: Process, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._busy[process.name] = task
        task.add_done_callback(functools.partial(self._done, process.name))

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        del self._busy[name]
        if not task.cancelled():
            task.result()  # a mistake of ours must not go unseen

    def _others_ready(self, process: Process) -> bool:
        process.waits_for = [one.name for one in self._named(process.kind.after) if not one.was_ready]
        return not process.waits_for

    def _named(self, kinds: Iterable[str]) -> list[Process]:
        return [one for one in self.processes.values() if one.kind.name in kinds]

    async def _start(self, process: Process) -> None:
        try:
            # In a thread: a server's files may have to be made first.
            command = await asyncio.to_thread(self.resolve, process.kind)
            await self._launch(process, command)
        except VidLabError as error:
            self._fail(process, error)
        except OSError as error:
            self._fail(process, LabFailed(why=f"{process.name} cannot be started: {error}."))

    async def _launch(self, process: Process, command: Command) -> None:
        ready_file(self.folder.root, process.name).unlink(missing_ok=True)
        process.begin()
        # It may be unwanted by now: then the next look ends it.
        process.fill(await self.launcher.start(command, self.environment(process.name), process.log))
        self.journal.tell("started", process.name, pid=process.pid, restarts=process.restarts)

    def _fail(self, process: Process, error: VidLabError) -> None:
        process.failed = str(error)
        self.journal.tell("failed", process.name, str(error), **as_problem(error))

    # -- getting ready

    async def _ask(self, process: Process) -> None:
        child = process.child
        settings = self.settings.model_copy(update={"process": process.name, "state": self.folder.root})
        text = await asyncio.to_thread(CONDITIONS[process.kind.ready].check, settings)
        same = process.child is child and (child is None or child.poll() is None)
        if text is not None and same and not self._port_taken(process):
            process.meet(text)
            self._tell_ready(process, text)
        self._wake.set() if text is not None else await asyncio.sleep(TICK / 2)

    def _tell_ready(self, process: Process, text: str) -> None:
        facts = {"pid": process.pid, "port": self._port(process), "why": self.ports.reasons.get(process.name, "")}
        self.journal.tell("ready", process.name, text, **facts, outside=process.outside)

    def _port(self, process: Process) -> int | None:
        return None if process.outside else self.ports.chosen.get(process.name)

    def _port_taken(self, process: Process) -> bool:
        # Whatever answers there is not ours.
        return self._taken(process) is not None

    def _taken(self, process: Process) -> str | None:
        """The port that it was to have and that another program holds: by its own name, or its controller's."""
        names = (process.name, f"{process.name}-controller")
        return next((name for name in names if name in self.ports.taken), None)

    def _see_whether_late(self, process: Process) -> None:
        seconds = self.settings.ready_seconds
        begun = process.first_began or self.began
        if not process.was_ready and time.monotonic() - begun > seconds:
            words = CONDITIONS[process.kind.ready].words
            self._tell_late(process, f"within {seconds:.0f} s it did not {words}")

    def _tell_late(self, process: Process, why: str) -> None:
        """Once per process: it does not get ready. It is tried further, but who waits for it need not."""
        if process.name in self._late:
            return
        self._late.add(process.name)
        lines = process.own_log().splitlines()[-TAIL:]
        facts = {"name": process.name, "why": why, "log": str(process.log), "lines": lines}
        error = NotReady(**facts, advice=self._advice(process))
        self.journal.tell("late", process.name, str(error), **as_problem(error))

    def _advice(self, process: Process) -> str:
        if taken := self._taken(process):
            variable = f"VIDLAB_{taken.upper().replace('-', '_')}_PORT"
            return (
                f"Port {self.ports.chosen[taken]} was set by {variable} and another program holds it.\n"
                "Stop that program, or unset the variable: VidLab then finds a free port."
            )
        if process.outside:
            return f"VIDLAB_{str(process.kind.outside).upper()} says where it is; unset it, and the lab starts its own."
        return f"`vidlab doctor` tells what is missing; the whole log is in {process.log}"

    def _see_whether_up(self) -> None:
        if not self.is_up and all(one.was_ready for one in self.processes.values()):
            self.is_up = True
            self.journal.tell("up", "lab", seconds=time.monotonic() - self.began)

    # -- orders

    async def do(self, deed: Callable[[], None]) -> None:
        """At once: to send a signal takes no time."""
        deed()

    async def kill_pid(self, pid: int) -> list[str]:
        """End one operating-system process of the lab, not what it belongs to. Raises UnknownProcess."""
        owner = self._owner(pid)
        if owner is None or pid == os.getpid() or not belongs(pid, self.folder.lab_id):
            raise UnknownProcess(name=pid)
        if owner.pid == pid:
            return await act(self, "kill", owner.name)
        signal_one(pid, signal.SIGKILL)
        self.journal.tell("killed", owner.name, f"its process {pid} was killed by you", pid=pid)
        return [owner.name]

    def _owner(self, pid: int) -> Process | None:
        try:
            leader = os.getsid(pid)
        except (OSError, OverflowError):  # no number of a process
            return None
        return next((one for one in self.processes.values() if one.pid == leader), None)

    # -- what faults ask for

    def check_fault(self, name: str) -> None:
        """Every fault can be had."""

    def set_clock(self, name: str, seconds: float) -> None:
        """From its next start on a process's clock is ahead by so much."""
        self.extra[name] = {"VIDLAB_CLOCK_OFF_SECONDS": str(seconds)} if seconds else {}

    def fill_disk(self, full: bool) -> None:
        """Let no process write to its scratch folder, or let all do it again."""
        mark = full_mark(self.settings)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch() if full else mark.unlink(missing_ok=True)

    # -- the end

    def close(self) -> None:
        """Take the lab down: `run` returns when nothing is left."""
        if not self.closing:
            self.ending.set()
            self.journal.tell("closing", "lab")
        self.wake()

    def _collect(self, process: Process) -> None:
        ending = process.collect()
        if ending is None:
            return
        self.journal.tell(ending.kind, process.name, ending.text, restarts=process.restarts)
        if not process.was_ready and process.wanted and (process.failures >= TRIES or self._port_taken(process)):
            self._tell_late(process, f"it {ending.text.split(':')[0]}")
        if taken := self._taken(process):
            process.failed = f"port {self.ports.chosen[taken]} is taken"

    def _retire(self) -> bool:
        """Ours first, so that they hand back what they hold while the servers still answer; then the servers."""
        alive = [one for one in self.processes.values() if one.alive]
        ours = [one for one in alive if not one.kind.server]
        for process in ours or alive:
            process.hand_back()
        return not alive and not self._busy

    def _look_at_folder(self) -> None:
        if time.monotonic() - self._folder_seen < FOLDER_CHECK:
            return
        self._folder_seen = time.monotonic()
        for path in self.folder.logs.glob("*.log"):
            with contextlib.suppress(OSError):  # removed just now
                logs.bound(path)
        if not self.folder.is_run_by(os.getpid()):  # removed: nobody could ever find this lab again
            self.close()
