"""What a supervisor's words are said to: `Crew` runs processes, `Containers` has Docker run containers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from vidlab.lab.folder import Folder
from vidlab.lab.journal import Journal
from vidlab.lab.spec import Kind
from vidlab.lab.status import ProcessStatus


class Slot(Protocol):
    """One place in a lab, which is filled again when what was in it exits."""

    kind: Kind
    name: str
    wanted: bool
    #: It belongs to the user, and is neither started nor stopped.
    outside: bool

    @property
    def paused(self) -> bool:
        """Was it stopped where it stands?"""

    @property
    def alive(self) -> bool:
        """Is anything in it?"""

    @property
    def pid(self) -> int | None:
        """The process of the system that is in it."""

    def status(self) -> ProcessStatus:
        """As it is told to others."""

    def say(self, text: str) -> None:
        """Note what happened to it."""

    def see_whether_paused(self) -> None:
        """Somebody else may have paused it, or let it go on."""

    def kill(self) -> None:
        """End what is in it, and all that this started, now."""

    def pause(self) -> None:
        """Stop it where it stands."""

    def resume(self) -> None:
        """Let it go on."""

    def restart(self) -> None:
        """Let it finish what it has in hand, and start it again."""

    def try_now(self) -> None:
        """Start what is not there, without further waiting."""


class Backend(Protocol):
    """A lab's processes as its HTTP face and its faults know them."""

    folder: Folder
    journal: Journal
    #: Kind -> how many are wanted.
    counts: dict[str, int]
    #: Slots that a fault keeps empty.
    held: set[str]
    #: Set when the lab begins to go down.
    ending: asyncio.Event

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """By name."""

    @property
    def processes(self) -> Mapping[str, Slot]:
        """By name."""

    def in_order(self) -> Sequence[Slot]:
        """In the order in which they are shown."""

    def match_counts(self) -> None:
        """Have a slot for each process that is wanted, and ask those to go that are too many."""

    async def do(self, deed: Callable[[], None]) -> None:
        """Carry out what may take a moment, without holding up who asks meanwhile. Raises what it raises."""

    async def kill_pid(self, pid: int) -> list[str]:
        """End one process of the system, and give the slot that it belonged to. Raises UnknownProcess, CannotDo."""

    def check_fault(self, name: str) -> None:
        """Raises CannotDo when this fault cannot be had here."""

    def set_clock(self, name: str, seconds: float) -> None:
        """From its next start on a process's clock is ahead by so much. Raises CannotDo."""

    def fill_disk(self, full: bool) -> None:
        """Let no process write to its scratch folder, or let all do it again."""

    def wake(self) -> None:
        """Look at once: something was changed."""

    def close(self) -> None:
        """Take the lab down."""
