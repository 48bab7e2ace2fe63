"""A lab whose workers have stand-ins for their stages; all else is as it always is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vidlab.lab.local import LocalLab
from vidlab.lab.spec import PYTHON, Kind, make_spec
from vidlab.lab.supervisor import main

STORAGES = ("stubbed", "azurite")
WORKER = "worker-"


class BenchLab(LocalLab):
    """A `LocalLab` for the control plane alone. `storage` is one of `STORAGES`."""

    def __init__(self, state: Path, storage: str) -> None:
        super().__init__(state, with_parent=True)
        self.storage = storage

    def _supervisor(self) -> list[str]:
        return [*PYTHON, "vidlab.bench.lab", self.storage]


def kinds(storage: str) -> Iterator[Kind]:
    """The usual spec without a scanner, and with other workers."""
    for kind in make_spec():
        if kind.name.startswith(WORKER):
            stage = kind.name.removeprefix(WORKER)
            yield replace(kind, command=(*PYTHON, "vidlab.bench.worker", stage, storage), programs=())
        elif kind.name != "clamd":
            yield kind


if __name__ == "__main__":
    sys.exit(main(tuple(kinds(sys.argv.pop(1)))))
