"""What a person may do to a running lab: kill, pause, resume, restart, scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from vidlab.errors import BadCount, CannotDo
from vidlab.lab.backend import Backend, Slot
from vidlab.lab.spec import kind_named, matching

MOST = 64  # processes of one kind


@dataclass(frozen=True)
class Verb:
    """Something that is done to processes by name."""

    do: Callable[[Slot], None]
    #: The event that tells it.
    event: str
    text: str
    #: To which processes it may be done, and what others are told.
    allowed: Callable[[Slot], bool]
    refusal: str


#: The table: each row is a route of the control API, a command, and a method of `LocalLab`.
VERBS: Mapping[str, Verb] = {
    "kill": Verb(lambda one: one.kill(), "killed", "killed by you", lambda one: one.alive, "is not running"),
    "pause": Verb(
        lambda one: one.pause(),
        "paused",
        "paused by you",
        lambda one: one.alive and not one.paused,
        "is not running, or paused",
    ),
    "resume": Verb(
        lambda one: one.resume(), "resumed", "resumed by you", lambda one: one.alive and one.paused, "is not paused"
    ),
    "restart": Verb(
        lambda one: one.restart(), "restarting", "restarted by you", lambda one: one.wanted, "is on its way out"
    ),
}


async def act(crew: Backend, verb: str, name: str) -> list[str]:
    """Do it to the processes that the name means, and give their names. Raises UnknownProcess and CannotDo."""
    row = VERBS[verb]
    found = [crew.processes[one] for one in matching(name, list(crew.processes))]
    if all(one.outside for one in found):
        raise CannotDo(name=name, done=row.event, why="it runs outside of the lab")
    for process in found:  # somebody else may have stopped it a moment ago
        await crew.do(process.see_whether_paused)
    able = [one for one in found if row.allowed(one)]
    if not able:
        raise CannotDo(name=name, done=row.event, why=f"it {row.refusal}")
    for process in able:
        await crew.do(partial(row.do, process))
        process.say(row.text)
        crew.journal.tell(row.event, process.name, row.text, pid=process.pid)
    crew.wake()
    return [process.name for process in able]


def scale(crew: Backend, name: str, count: int) -> int:
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
