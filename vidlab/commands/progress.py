"""`vidlab up` as it is watched: a line for each process that gets ready."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.status import Status

from vidlab.commands.common import out

if TYPE_CHECKING:
    from vidlab.lab.journal import Event

#: Told together at the end: there are many of them, and none has an address.
CROWD = ("keeper", "consumer", "worker")


class Arrivals:
    """Prints who is ready, and on a terminal who is awaited."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.began = time.time()
        self.awaited: list[str] = []
        #: Was the lab seen getting up? Who waited for another to start it saw nothing.
        self.seen = False
        self.crowd: Counter[str] = Counter()
        self.status = Status("", console=out)  # the same console: it keeps its line below what is printed

    def __enter__(self) -> Self:
        out.print(f"{f'Starting the lab ({self.folder})':<56}  ready after")
        self.status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.status.stop()
        if kind is KeyboardInterrupt:
            out.print(*getattr(error, "__notes__", ["Interrupted; a lab that somebody else has started goes on."]))

    def tell(self, event: Event) -> None:
        """To be called with each event of the lab."""
        if event.kind == "started" and event.process not in self.awaited:
            self.awaited.append(event.process)
        if event.kind in ("ready", "done"):
            self._arrive(event)
        if event.kind == "up":
            self.seen = True
            self._line(_sum(self.crowd), "", event)
        self.status.update(_waiting_for(self.awaited))

    def _arrive(self, event: Event) -> None:
        if event.process in self.awaited:
            self.awaited.remove(event.process)
        word = event.process.split(".")[0].split("-")[0]
        if word in CROWD:
            self.crowd[word] += 1
        else:
            self._line(event.process, _where(event), event)

    def _line(self, name: str, where: str, event: Event) -> None:
        out.print(f"  {f'{name:<14} {where}':<57}{event.time - self.began:5.1f} s")


def _waiting_for(awaited: list[str]) -> str:
    """Two names at the most, so that it stays a line."""
    named = ", ".join(awaited[:2])
    more = f" and {len(awaited) - 2} more" if len(awaited) > 2 else ""
    return f"waiting for {named}{more}" if awaited else ""


def _where(event: Event) -> str:
    """The port, why it is not the usual one, and what was reached."""
    port, why = event.facts.get("port"), event.facts.get("why")
    if event.facts.get("outside"):
        return f"yours        {event.text}"
    if not port or event.text.startswith("http"):
        return event.text
    reason = f"   ({why})" if why else ""
    return f"{f'port {port}':<12} {event.text}{reason}"


def _sum(crowd: Counter[str]) -> str:
    """`keeper, 7 consumers, 7 workers`, in the order of the table."""
    counts = [(word, crowd[word]) for word in CROWD if crowd[word]]
    return ", ".join(word if word == "keeper" else f"{count} {word}{'s' * (count != 1)}" for word, count in counts)
