"""The one place of the lab that starts operating-system processes.

Each leads a session of its own, so that a signal reaches it and what it started, and nothing else. None outlives the
supervisor (Linux).
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from vidlab.errors import LabFailed
from vidlab.processes import die_with_parent

log = logging.getLogger(__name__)


class Command(Protocol):
    """What is run: `vidlab.lab.servers` makes these for servers."""

    @property
    def argv(self) -> Sequence[str]: ...

    @property
    def env(self) -> Mapping[str, str]:
        """What comes on top of the lab's environment."""

    @property
    def cwd(self) -> Path | None: ...


@dataclass(frozen=True)
class Program:
    """A command that needs nothing but its arguments."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None


class Child(Protocol):
    """A process that was started: it leads the group of the same number."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None as long as it lives."""


def launch(
    command: Command, environment: Mapping[str, str], log_file: Path, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start a process whose output goes to the end of a file. Raises LabFailed when there is no such program."""
    log.info("%s", shlex.join(command.argv))
    parent = os.getpid()
    with log_file.open("ab") as output:
        try:
            return subprocess.Popen(
                command.argv,
                env={**environment, **command.env},
                cwd=command.cwd,
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(parent),  # it only calls into libc, which was loaded before
            )
        except OSError as error:
            raise LabFailed(why=f"{command.argv[0]} cannot be started: {error}.") from error


def signal_group(leader: int, number: signal.Signals) -> None:
    """Send a signal to a process and all that it started; nothing happens when they are gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def signal_one(pid: int, number: signal.Signals) -> None:
    """Send a signal to one process; nothing happens when it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
