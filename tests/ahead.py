"""Media that tests judge, made behind everything else while other tests wait for processes and servers.

A module that wants some has `make_one(name, folder)`, and its tests ask the fixture `made` for a name, which is mostly
their parameter `name`: so it is known before the first test which will be wanted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from tests.media import Made

BEHIND = 19  # niceness, of the thread alone on Linux and of what it starts: others go first


class Ahead:
    """Makes each thing once, in the order in which it was begun."""

    def __init__(self, pool: ThreadPoolExecutor, folder: Path) -> None:
        self.pool = pool
        self.folder = folder
        self._begun: dict[tuple[str, str], Future[Made]] = {}

    def begin(self, module: ModuleType, name: str) -> Future[Made]:
        """Have it made, unless it is being made already."""
        key = (module.__name__, name)
        if key not in self._begun:
            folder = self.folder / module.__name__
            folder.mkdir(exist_ok=True)
            self._begun[key] = self.pool.submit(module.make_one, name, folder)
        return self._begun[key]


def name_of(item: pytest.Function) -> str | None:
    """What it will ask the fixture `made` for, when its parameters tell."""
    known = "made" in item.fixturenames and hasattr(item, "callspec") and "name" in item.callspec.params
    return str(item.callspec.params["name"]) if known else None


@contextmanager
def making_ahead(items: Iterable[pytest.Item], folder: Path) -> Iterator[Ahead]:
    """Begin with what the chosen tests will ask for."""
    with ThreadPoolExecutor(1, "ahead", partial(os.nice, BEHIND)) as pool:
        ahead = Ahead(pool, folder)
        for item in items:
            if isinstance(item, pytest.Function) and (name := name_of(item)):
                ahead.begin(item.module, name)
        yield ahead
        pool.shutdown(cancel_futures=True)
