"""A plugin of coverage: counts what our forks run, and leaves alone what is forked to become another program.

Coverage's own patch "fork" begins anew in every child, also between the fork and the exec of a `subprocess.Popen` with
a `preexec_fn`: a fifth of a second for each FFmpeg, which is most of what a small rendition takes. `os.fork` is what
the nursery and Celery's pool call, and they go on as Python.

There nothing may be measured either: the tracer has a lock, which another thread may have held when the process was
forked. Then the child waits for it for ever, and the thread that started it for the child.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from coverage import control

if TYPE_CHECKING:
    from coverage.plugin_support import Plugins

_fork = os.fork


def counted_fork() -> int:
    """`os.fork`, after which the child is measured by itself."""
    pid = _fork()
    if pid == 0:
        control._after_fork_in_child()
    return pid


def uncounted() -> dict[str, str]:
    """The environment of a program whose lines need not be counted: it starts sooner."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def coverage_init(registry: Plugins, options: dict[str, Any]) -> None:
    """Called by coverage in each process that it measures."""
    if os.fork is counted_fork:
        return  # as in a fork, where coverage begins anew
    os.fork = counted_fork
    os.register_at_fork(after_in_child=partial(sys.settrace, None))  # no line of Python: that would be traced
