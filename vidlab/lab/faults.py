"""The table of faults: what can be done to a running lab, how each ends, and what to expect of it.

A fault is a context: it begins, it lasts, and when it ends the lab is as it was. They live in the supervisor, so that
the end of the lab ends them all. Adding one is a line in `FAULTS`, and for one that is over at once a line in
`vidlab.lab.tampering.ONCE`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from vidlab.errors import CannotDo, UnknownFault, UnknownProcess
from vidlab.lab.backend import Backend
from vidlab.lab.links import Link
from vidlab.lab.spec import matching
from vidlab.lab.verbs import act
from vidlab.settings import Settings

if TYPE_CHECKING:
    from vidlab.lab.tampering import Lock

SLOW = 0.2  # seconds that each piece waits on a slow link
CLOCK_OFF = 60.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where a fault happens."""

    crew: Backend
    settings: Settings
    #: By the name of the server; empty when the lab was started without links.
    links: Mapping[str, Link]
    #: A process, a kind, a server or a video_hash; what it means is the fault's matter.
    target: str


#: Begins a fault; gives a line about what was done.
Begin = Callable[[Scene], AbstractAsyncContextManager[str]]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A row of the table."""

    name: str
    does: str
    ends: str
    #: What a learner should see.
    expect: str
    begin: Begin
    #: What it is done to when nobody says.
    target: str = ""
    #: How long it lasts when nobody says, in seconds; 0: it happens at once and is over.
    seconds: float = 0.0


# -- processes


@asynccontextmanager
async def _kill(scene: Scene) -> AsyncIterator[str]:
    yield f"killed {', '.join(await act(scene.crew, 'kill', scene.target))}"


@asynccontextmanager
async def _pause(scene: Scene) -> AsyncIterator[str]:
    names = await act(scene.crew, "pause", scene.target)
    try:
        yield f"paused {', '.join(names)}"
    finally:
        for name in names:
            with suppress(CannotDo, UnknownProcess):  # it was resumed or killed meanwhile
                await act(scene.crew, "resume", name)


@asynccontextmanager
async def _down(scene: Scene) -> AsyncIterator[str]:
    crew = scene.crew
    names = matching(scene.target, list(crew.processes))
    # Held first: a process that was just killed by another fault is kept down all the same.
    crew.held.update(names)
    try:
        with suppress(CannotDo):
            await act(crew, "kill", scene.target)
        yield f"{', '.join(names)} is kept down"
    finally:
        crew.held.difference_update(names)
        for name in names:
            if name in crew.processes:
                await crew.do(crew.processes[name].try_now)
        crew.wake()


@asynccontextmanager
async def _clock(scene: Scene) -> AsyncIterator[str]:
    crew = scene.crew
    names = matching(scene.target, list(crew.processes))
    for name in names:
        crew.set_clock(name, CLOCK_OFF)
    await act(crew, "restart", scene.target)
    try:
        yield f"{', '.join(names)} begins anew with a clock that is {CLOCK_OFF:.0f} s ahead"
    finally:
        for name in names:
            crew.set_clock(name, 0)
        with suppress(CannotDo, UnknownProcess):
            await act(crew, "restart", scene.target)


# -- servers, links, disk


def _locked(settings: Settings) -> Lock:
    from vidlab.lab.tampering import lock_database  # not before it is wanted: see _done_once

    return lock_database(settings)


@asynccontextmanager
async def _database(scene: Scene) -> AsyncIterator[str]:
    lock = await asyncio.to_thread(_locked, scene.settings)
    try:
        yield lock.words
    finally:
        await asyncio.to_thread(lock.release)


def _link(scene: Scene) -> Link:
    if not scene.links:
        raise CannotDo(
            name=scene.target, done="slowed or cut", why="this lab has no links; begin with: vidlab up --links"
        )
    server = scene.crew.processes.get(scene.target)
    if scene.target not in scene.links or server is None or server.outside:
        why = f"links lead to {', '.join(scene.links)}, as far as this lab runs them"
        raise CannotDo(name=scene.target, done="slowed or cut", why=why)
    return scene.links[scene.target]


@asynccontextmanager
async def _slow(scene: Scene) -> AsyncIterator[str]:
    async with _link(scene).slow(SLOW):
        yield f"on the link to {scene.target} each piece waits {SLOW * 1000:.0f} ms"


@asynccontextmanager
async def _cut(scene: Scene) -> AsyncIterator[str]:
    async with _link(scene).cut():
        yield f"on the link to {scene.target} nothing passes"


@asynccontextmanager
async def _reset(scene: Scene) -> AsyncIterator[str]:
    async with _link(scene).reset():
        yield f"connections to {scene.target} are reset"


@asynccontextmanager
async def _disk_full(scene: Scene) -> AsyncIterator[str]:
    await scene.crew.do(partial(scene.crew.fill_disk, True))
    try:
        yield "the scratch folder takes no byte more"
    finally:
        await scene.crew.do(partial(scene.crew.fill_disk, False))


# -- messages and tasks


@asynccontextmanager
async def _tamper(scene: Scene, name: str) -> AsyncIterator[str]:
    yield await asyncio.to_thread(_done_once, name, scene)


def _done_once(name: str, scene: Scene) -> str:
    # With it come the clients of database, Kafka and Celery: most of what a supervisor would import to start.
    from vidlab.lab.tampering import ONCE

    return ONCE[name](scene.settings, scene.target)


def _server_down(name: str, expect: str) -> Fault:
    return Fault(
        name=f"{name}-down",
        does=f"kills {name} and keeps it down",
        ends=f"{name} is started again, with its data",
        expect=expect,
        begin=_down,
        target=name,
        seconds=10,
    )


def _once(name: str, does: str, expect: str) -> Fault:
    return Fault(name=name, does=does, ends="at once", expect=expect, begin=partial(_tamper, name=name))


_ROWS = (
    Fault(
        name="kill",
        does="SIGKILL to a process, or to all of a kind, with all that they started",
        ends="the supervisor starts it again",
        expect="its lease expires within 15 s, another worker goes on, and the video completes",
        begin=_kill,
        target="worker-720p",
    ),
    Fault(
        name="pause",
        does="SIGSTOP to a process, or to all of a kind: alive, but silent",
        ends="SIGCONT; what it had in hand is refused when another took over",
        expect="longer than 10 s: the job is taken over, and the one that wakes changes nothing",
        begin=_pause,
        target="worker-720p",
        seconds=10,
    ),
    _server_down("kafka", "uploads are still finalized: the messages wait in the outbox, and go when Kafka is back"),
    _server_down("redis", "consumers wait; what runs goes on; queued jobs that Redis lost are sent again"),
    _server_down("azurite", "uploads are answered 503; what is encoded waits to be stored and is not thrown away"),
    _server_down("clamd", "preprocessing waits: nothing goes on unscanned, and no attempt is used up"),
    Fault(
        name="database-down",
        does="locks the database, so that nobody can write",
        ends="the lock is released",
        expect="workers go on encoding, and tell their end when the database is back; no lease is lost by it",
        begin=_database,
        target="database",
        seconds=8,
    ),
    Fault(
        name="slow-link",
        does="delays each piece on the way to kafka, redis or azurite",
        ends="the delay ends",
        expect="everything takes longer, and nothing fails",
        begin=_slow,
        target="azurite",
        seconds=10,
    ),
    Fault(
        name="cut-link",
        does="lets nothing pass to kafka, redis or azurite, and tells nobody",
        ends="what waited passes",
        expect="who asked waits until its time-out, and tries again",
        begin=_cut,
        target="redis",
        seconds=10,
    ),
    Fault(
        name="reset-link",
        does="resets each connection to kafka, redis or azurite",
        ends="new connections are let through",
        expect="who was connected connects anew; what was under way is asked for again",
        begin=_reset,
        target="kafka",
        seconds=10,
    ),
    _once(
        "message-twice",
        "sends a Kafka message a second time",
        "message_repeated, or message_ignored: no second rendition",
    ),
    _once(
        "message-not-json",
        "puts a message on Kafka that is not JSON",
        "each group parks it on the dead letter topic, and goes on",
    ),
    _once(
        "message-version",
        "puts a message of an unknown version on Kafka",
        "each group parks it on the dead letter topic, and goes on",
    ),
    _once(
        "task-twice",
        "puts a Celery task into its queue a second time",
        "the second is refused by the lease",
    ),
    Fault(
        name="disk-full",
        does="lets no worker write to its scratch folder",
        ends="there is room again",
        expect="jobs wait without using up an attempt, and go on",
        begin=_disk_full,
        target="scratch",
        seconds=10,
    ),
    Fault(
        name="clock-off",
        does="restarts a worker with a clock that is a minute ahead",
        ends="it is restarted with the right one",
        expect="nothing is decided by it: leases go by counters and by the keeper's own polls",
        begin=_clock,
        target="worker-360p",
        seconds=20,
    ),
)

#: By name; the order is that of the list that people see.
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ROWS}


def fault_named(name: str) -> Fault:
    """Raises UnknownFault; `-` and `_` are the same."""
    try:
        return FAULTS[name.strip().lower().replace("_", "-")]
    except KeyError:
        raise UnknownFault(name=name) from None
