"""The launcher with a real nursery: each request ends with the process that was asked for, whatever happens to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from tests.unit.labs import ROOT, is_gone
from tests.waiting import GUARD
from vidlab.lab import forks
from vidlab.lab.forks import CAN_FORK, LOST, Launcher
from vidlab.lab.launch import Child, Program
from vidlab.lab.spec import PYTHON

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="the nursery is for Linux")

MODULE = "tests.unit.stub_module"


class Forks:
    """A launcher, and what it started."""

    def __init__(self, folder: Path) -> None:
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "VIDLAB_STATE": str(folder)}
        self.log = folder / "log"
        self.launcher = Launcher((MODULE,), self.environment, self.log, on_end=lambda: None)
        self.children: list[Child] = []

    async def start(self, word: str) -> Child:
        """A process that has that word among its arguments."""
        command = Program((*PYTHON, MODULE, word))
        child = await self.launcher.start(command, {**self.environment, "VIDLAB_PROCESS": word}, self.log)
        self.children.append(child)
        return child


@contextlib.asynccontextmanager
async def forks_in(folder: Path) -> AsyncIterator[Forks]:
    (folder / "run").mkdir()
    used = Forks(folder)
    try:
        yield used
    finally:
        for child in used.children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await until(lambda child=child: child.poll() is not None)  # type: ignore[misc]
        await used.launcher.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(GUARD):
        while not condition():
            await asyncio.sleep(0.02)


def name_of(child: Child) -> str:
    """The process that it is for; told by the kernel's name of it, which a fork sets first."""
    return psutil.Process(child.pid).name()


def parent_of(child: Child) -> int:
    return psutil.Process(child.pid).ppid()


def stop(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)


def test_who_is_told_of_a_fork_may_signal_its_group_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with forks_in(tmp_path) as used:
            for number in range(10):
                child = await used.start(f"child {number}")
                assert os.getpgid(child.pid) == child.pid

    asyncio.run(story())


def test_a_request_that_the_nursery_never_read_is_met_by_the_system(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def story() -> None:
        async with forks_in(tmp_path) as used:
            first = await used.start("first")
            nursery = parent_of(first)
            stop(nursery)
            asking = asyncio.create_task(used.start("second"))
            await until(lambda: "fork tests.unit.stub_module second" in caplog.messages)
            os.kill(nursery, signal.SIGKILL)
            second = await asyncio.wait_for(asking, GUARD)
            assert parent_of(second) == os.getpid()
            assert first.poll() == LOST
            assert parent_of(await used.start("third")) not in (nursery, os.getpid())

    asyncio.run(story())


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with forks_in(tmp_path) as used:
            nursery = parent_of(await used.start("first"))
            stop(nursery)
            monkeypatch.setattr(forks, "ANSWER", 0.2)
            assert parent_of(await used.start("second")) == os.getpid()
            monkeypatch.setattr(forks, "ANSWER", GUARD)
            used.launcher.let_go_on()
            third = await used.start("third")
            assert parent_of(third) == nursery
            await until(lambda: name_of(third) == "third")
            forked = psutil.Process(nursery).children()
            await until(lambda: [one.pid for one in forked if not is_gone(one.pid)] == expected(used))

    def expected(used: Forks) -> list[int]:
        return [used.children[0].pid, used.children[2].pid]

    asyncio.run(story())
