"""A child is within its limits, and has ended when its block is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from vidlab.child import KEPT_LINES, LINE_LIMIT, NICENESS, Limits, never, started

GENEROUS = Limits(memory_bytes=2**32, seconds=20)


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def gone(pid: int, within: float = 5.0) -> bool:
    """Whether a process ends (one that only waits to be asked counts as ended)."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_lines_come_whole_and_complaints_apart() -> None:
    with started(shell("printf 'one\\ntw'; sleep 0.1; printf 'o\\r\\nthree'; echo bad >&2"), GENEROUS) as child:
        assert list(child.lines()) == ["one", "two", "three"]
        assert (child.code, list(child.complaints)) == (0, ["bad"])


def test_only_the_last_complaints_are_kept_and_a_full_pipe_stops_nobody() -> None:
    with started(shell("seq 1 50000 >&2; seq 1 50000"), GENEROUS) as child:
        assert len(list(child.lines())) == 50_000
        assert list(child.complaints) == [str(number) for number in range(50_001 - KEPT_LINES, 50_001)]


def test_a_line_without_an_end_is_cut() -> None:
    with started(shell("head -c 1000000 /dev/zero | tr '\\0' x"), GENEROUS) as child:
        assert all(len(line) <= 2 * LINE_LIMIT for line in child.lines())


def test_too_long_is_a_timeout_and_the_child_has_ended() -> None:
    with pytest.raises(TimeoutError), started(["sleep", "60"], Limits(memory_bytes=2**32, seconds=0.3)) as child:
        list(child.lines())
    assert child.code == -signal.SIGKILL


def test_a_child_that_closes_its_outputs_is_still_watched() -> None:
    script = "exec >&- 2>&-; exec sleep 60"
    with pytest.raises(TimeoutError), started(shell(script), Limits(memory_bytes=2**32, seconds=0.5)) as child:
        list(child.lines())
    assert child.code == -signal.SIGKILL


def test_stopping_is_asked_several_times_a_second_and_its_exception_is_raised_after_the_end() -> None:
    began, asked = time.monotonic(), []

    def stopping() -> BaseException | None:
        asked.append(1)
        return KeyError("down") if time.monotonic() - began > 1 else None

    with pytest.raises(KeyError), started(["sleep", "60"], GENEROUS, stopping) as child:
        list(child.lines())
    assert child.code == -signal.SIGKILL
    assert len(asked) >= 4
    assert time.monotonic() - began < 5


def test_any_exception_in_the_block_ends_the_child() -> None:
    with pytest.raises(ZeroDivisionError), started(["sleep", "60"], GENEROUS) as child:
        _ = 1 / 0
    assert gone(child.process.pid)


def test_what_the_child_started_ends_with_it() -> None:
    """A setting may name a script that starts the real program."""
    limits = Limits(memory_bytes=2**32, seconds=0.5)
    with started(shell("sleep 60 & echo $!; wait"), limits) as child:
        lines = child.lines()
        grandchild = int(next(lines))
        with pytest.raises(TimeoutError):
            list(lines)
    assert gone(grandchild)


def test_it_is_nice_and_its_memory_is_limited() -> None:
    limits = Limits(memory_bytes=2**30, seconds=20)
    with started(shell("nice; ulimit -v"), limits, never) as child:
        nice, memory = child.lines()
    assert int(nice) == os.nice(0) + NICENESS
    if sys.platform == "linux":
        assert memory == str(2**20)  # KiB


def test_it_stays_in_our_process_group_so_that_pause_and_kill_reach_it() -> None:
    with started(["sleep", "60"], GENEROUS) as child:
        assert os.getpgid(child.process.pid) == os.getpgid(0)


def parent_of(command: str) -> Callable[[], tuple[subprocess.Popen[bytes], int]]:
    script = f"""
        from vidlab.child import *
        with started({command}, Limits(memory_bytes=2**32, seconds=60)) as child:
            print(child.process.pid, flush=True)
            list(child.lines())
    """

    def start() -> tuple[subprocess.Popen[bytes], int]:
        home = Path(__file__).parents[2]
        parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, cwd=home)
        assert parent.stdout
        return parent, int(parent.stdout.readline())

    return start


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_the_child_ends_when_its_parent_is_killed() -> None:
    parent, child = parent_of("['sleep', '60']")()
    parent.kill()
    parent.communicate()
    assert gone(child)
