"""What each kind of process of a lab uses of the machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress

import psutil

from vidlab.lab.local import LocalLab


def processor_seconds(lab: LocalLab) -> dict[str, float]:
    """Kind -> seconds of processor time until now."""
    return _by_kind(lab, lambda process: sum(process.cpu_times()[:2]))


def resident_bytes(lab: LocalLab) -> dict[str, float]:
    """Kind -> bytes of memory now."""
    return _by_kind(lab, lambda process: process.memory_info().rss)


def _by_kind(lab: LocalLab, measure: Callable[[psutil.Process], float]) -> dict[str, float]:
    """The sum over all processes of a kind, with their children; `worker-360p` and its like are all `worker`."""
    used: dict[str, float] = defaultdict(float)
    for one in lab.status().processes:
        if one.pid is not None:
            used[one.kind.partition("-")[0]] += _with_children(one.pid, measure)
    return dict(used)


def _with_children(pid: int, measure: Callable[[psutil.Process], float]) -> float:
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += measure(one)
    return total
