"""The faults that are on now: begun, ended in time or when told to, and all of them when the lab ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vidlab.errors import BadRequest
from vidlab.lab.backend import Backend
from vidlab.lab.faults import Fault, Scene, fault_named
from vidlab.lab.links import Link
from vidlab.settings import Settings

LONGEST = 3600.0  # seconds that a fault may last


@dataclass(kw_only=True)
class Outage:
    """One fault that is on, or was."""

    id: int
    fault: Fault
    target: str
    seconds: float
    since: float
    #: What was done.
    words: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def as_json(self) -> dict[str, Any]:
        facts = {"id": self.id, "name": self.fault.name, "target": self.target, "seconds": self.seconds}
        return {**facts, "since": self.since, "words": self.words, "ends": self.fault.ends, "expect": self.fault.expect}


class Outages:
    """Begins and ends the faults of one lab."""

    def __init__(self, crew: Backend, settings: Settings, links: Mapping[str, Link]) -> None:
        self.crew = crew
        self.settings = settings
        self.links = links
        self._on: dict[int, Outage] = {}
        self._next = 1

    def on(self) -> list[Outage]:
        """Those that are on now."""
        return list(self._on.values())

    async def begin(self, name: str, target: str, seconds: float | None) -> Outage:
        """Begin a fault, and return once it has begun; what happens at once is over then.

        Raises UnknownFault, BadRequest, and what the fault itself raises.
        """
        fault = fault_named(name)
        self.crew.check_fault(fault.name)
        lasting = fault.seconds if seconds is None else seconds
        if not 0 <= lasting <= LONGEST:
            raise BadRequest(why=f"a fault lasts 0 to {LONGEST:.0f} seconds")
        lasting = lasting if fault.seconds else 0.0  # what happens at once does not last
        outage = Outage(id=self._next, fault=fault, target=target or fault.target, seconds=lasting, since=time.time())
        self._next += 1
        begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        outage.task = asyncio.create_task(self._last(outage, begun))
        outage.words = await begun
        return outage

    async def _last(self, outage: Outage, begun: asyncio.Future[str]) -> None:
        scene = Scene(crew=self.crew, settings=self.settings, links=self.links, target=outage.target)
        try:
            async with outage.fault.begin(scene) as words:
                self._on[outage.id] = outage
                self._tell("fault", outage, words)
                begun.set_result(words)
                await self._until_over(outage)
        except Exception as error:
            if begun.done():
                self._tell("fault_failed", outage, str(error))
                raise
            begun.set_exception(error)
        else:
            self._tell("fault_over", outage, outage.fault.ends)
        finally:
            self._on.pop(outage.id, None)

    async def _until_over(self, outage: Outage) -> None:
        ends = [asyncio.create_task(event.wait()) for event in (outage.over, self.crew.ending)]
        try:
            await asyncio.wait(ends, timeout=outage.seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    def _tell(self, kind: str, outage: Outage, text: str) -> None:
        facts = {"fault": outage.fault.name, "id": outage.id, "seconds": outage.seconds}
        self.crew.journal.tell(kind, outage.target or "lab", text, **facts)

    async def end(self, number: int | None = None) -> list[Outage]:
        """End a fault, or all of them; returns when they are over. Gives those that were on."""
        meant = [outage for outage in self.on() if number in (None, outage.id)]
        for outage in meant:
            outage.over.set()
        await asyncio.gather(*(outage.task for outage in meant if outage.task), return_exceptions=True)
        return meant
