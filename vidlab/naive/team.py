"""Real processes beside the lab, for as long as a block lasts. However it ends, they and what they kept are gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from vidlab.errors import LabFailed
from vidlab.face.waiting import until
from vidlab.lab.launch import Program, launch, signal_group
from vidlab.lab.logs import last_line
from vidlab.naive.diary import Diary, lesson_url
from vidlab.settings import Settings

READY = 60.0  # seconds in which a process must have told that it is ready, on a busy machine
PATIENCE = 5.0  # seconds between SIGTERM and SIGKILL


class Team:
    """Processes of one Python module, told apart by a name, which each has as its first argument."""

    def __init__(self, settings: Settings, module: str) -> None:
        self.settings = settings
        self.module = module
        self.url = lesson_url(settings.redis_url)
        self.diary = Diary(self.url)
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.diary.forget()  # what a kernel left that was killed
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            for name in list(self._children):
                self.kill(name)
            self.diary.forget()
        finally:
            self.diary.close()
            self._log.unlink(missing_ok=True)
            shutil.rmtree(self._temporary, ignore_errors=True)

    @property
    def names(self) -> list[str]:
        """Those that were started and not killed."""
        return list(self._children)

    def begin(self, members: Mapping[str, str]) -> None:
        """Start a process for each name, with its argument, and wait until all have told that they are ready.

        Raises LabFailed when one ends instead, NotThere when one takes too long.
        """
        self._temporary.mkdir(parents=True, exist_ok=True)
        for name, argument in members.items():
            argv = (sys.executable, "-P", "-m", self.module, name, argument)
            self._children[name] = launch(Program(argv), self._environment(name), self._log)
        until(lambda: self._all_ready(set(members)), f"{' and '.join(members)} to be ready", READY)

    def kill(self, name: str) -> None:
        """SIGKILL to a process and all that it started: no handler of its own runs."""
        child = self._children.pop(name)
        signal_group(child.pid, signal.SIGKILL)
        child.wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process and all that it started."""
        signal_group(self._children[name].pid, number)

    def end(self) -> None:
        """Ask all of them to end, and make those that do not in time."""
        for name, child in self._children.items():
            self.signal(name, signal.SIGCONT)  # one that is paused hears nothing
            child.terminate()
        for name in self.names:
            with suppress(subprocess.TimeoutExpired):
                self._children[name].wait(PATIENCE)
            self.kill(name)

    def pid(self, name: str) -> int:
        return self._children[name].pid

    @property
    def _log(self) -> Path:
        return self.settings.state.absolute() / "run" / f"{self.module}.log"

    @property
    def _temporary(self) -> Path:
        """Where they make temporary files: who is killed removes none."""
        return self._log.with_suffix(".tmp")

    def _environment(self, name: str) -> dict[str, str]:
        addresses = {"VIDLAB_REDIS_URL": self.url, "VIDLAB_KAFKA": self.settings.kafka}
        return {**os.environ, **addresses, "VIDLAB_PROCESS": name, "TMPDIR": str(self._temporary)}

    def _all_ready(self, wanted: set[str]) -> bool:
        for name, child in self._children.items():
            if child.poll() is not None:
                raise LabFailed(why=f"The lesson's process {name} ended at once: {last_line(self._log)}")
        return wanted <= {line["who"] for line in self.diary.told("ready")}
