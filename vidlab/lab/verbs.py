"""What a person may do to a running lab: kill, pause, resume, restart, scale."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vidlab.errors import BadCount, CannotDo, UnknownProcess
from vidlab.lab.crew import Crew
from vidlab.lab.identity import belongs
from vidlab.lab.launch import signal_one
from vidlab.lab.process import Process
from vidlab.lab.spec import kind_named, matching

MOST = 64  # processes of one kind


def _restart(process: Process) -> None:
    if not process.alive:
        process.try_now()
    elif process.kind.server:
        process.hand_back()
    else:
        process.drain()


@dataclass(frozen=True)
class Verb:
    """Something that is done to processes by name."""

    do: Callable[[Process], None]
    #: The event that tells it.
    event: str
    text: str
    #: To which processes it may be done, and what others are told.
    allowed: Callable[[Process], bool]
    refusal: str


#: The table: each row is a route of the control API, a command, and a method of `LocalLab`.
VERBS: Mapping[str, Verb] = {
    "kill": Verb(Process.kill, "killed", "killed by you", lambda one: one.alive, "is not running"),
    "pause": Verb(
        Process.pause, "paused", "paused by you", lambda one: one.alive and not one.paused, "is not running, or paused"
    ),
    "resume": Verb(Process.resume, "resumed", "resumed by you", lambda one: one.alive and one.paused, "is not paused"),
    "restart": Verb(_restart, "restarting", "restarted by you", lambda one: one.wanted, "is on its way out"),
}


def act(crew: Crew, verb: str, name: str) -> list[str]:
    """Do it to the processes that the name means, and give their names. Raises UnknownProcess and CannotDo."""
    row = VERBS[verb]
    found = [crew.processes[one] for one in matching(name, list(crew.processes))]
    if all(one.outside for one in found):
        raise CannotDo(name=name, done=row.event, why="it runs outside of the lab")
    for process in found:  # somebody else may have stopped it a moment ago
        process.see_whether_paused()
    able = [one for one in found if row.allowed(one)]
    if not able:
        raise CannotDo(name=name, done=row.event, why=f"it {row.refusal}")
    for process in able:
        row.do(process)
        process.say(row.text)
        crew.journal.tell(row.event, process.name, row.text, pid=process.pid)
    crew.wake()
    return [process.name for process in able]


def kill_pid(crew: Crew, pid: int) -> list[str]:
    """End one operating-system process of the lab, not what it belongs to. Raises UnknownProcess."""
    owner = _owner(crew, pid)
    if owner is None or pid == os.getpid() or not belongs(pid, crew.folder.lab_id):
        raise UnknownProcess(name=pid)
    if owner.pid == pid:
        return act(crew, "kill", owner.name)
    signal_one(pid, signal.SIGKILL)
    crew.journal.tell("killed", owner.name, f"its process {pid} was killed by you", pid=pid)
    return [owner.name]


def _owner(crew: Crew, pid: int) -> Process | None:
    try:
        leader = os.getsid(pid)
    except (OSError, OverflowError):  # no number of a process
        return None
    return next((one for one in crew.processes.values() if one.pid == leader), None)


def scale(crew: Crew, name: str, count: int) -> int:
    """Change how many of a kind are wanted, and give how many were. Raises UnknownProcess, CannotDo, BadCount."""
    kind = kind_named(name, crew.kinds)
    if not kind.scalable:
        raise CannotDo(name=kind.name, done="scaled", why="only consumers and workers come in numbers")
    if not 0 <= count <= MOST:
        raise BadCount(kind=kind.name, count=count, why=f"0 to {MOST} are possible")
    before = crew.counts[kind.name]
    crew.counts[kind.name] = count
    crew.match_counts()
    crew.journal.tell("scaled", kind.name, f"from {before} to {count}", before=before, count=count)
    crew.wake()
    return before
