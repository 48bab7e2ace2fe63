"""A fault that was begun: it ends by itself, or earlier when told to."""

from __future__ import annotations

import html
from types import TracebackType
from typing import Any, Self

from vidlab.lab.runner import Runner


class Fault:
    """As a context manager it is over when the block ends, however it ends."""

    def __init__(self, runner: Runner, begun: dict[str, Any]) -> None:
        self.runner = runner
        self.number = int(begun["id"])
        self.name = str(begun["name"])
        #: What was done, and what a learner should see.
        self.words = str(begun["words"])
        self.expect = str(begun["expect"])
        #: 0 for what happens at once.
        self.seconds = float(begun["seconds"])

    def __repr__(self) -> str:
        lasting = f", for {self.seconds:.0f} s" if self.seconds else ""
        return f"{self.words}{lasting}\nexpect: {self.expect}"

    def _repr_html_(self) -> str:
        first, *rest = map(html.escape, repr(self).splitlines())
        return f"<div><b>{first}</b><br>{'<br>'.join(rest)}</div>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    @property
    def on(self) -> bool:
        """Does it still last?"""
        return any(one["id"] == self.number for one in self.runner.faults())

    def end(self) -> None:
        """End it now; one that is over stays so."""
        self.runner.faults_over(self.number)
