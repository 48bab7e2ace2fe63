"""`ComposeLab`: the lab in containers, as Python and the command line say it: the words of `LocalLab`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from vidlab.lab.compose.project import ALL, ANSWER, Project
from vidlab.lab.folder import LabFile
from vidlab.lab.local import LocalLab, OnEvent
from vidlab.lab.scratch import Scratch
from vidlab.lab.sweep import sweep
from vidlab.settings import Settings

#: Beside the local lab's folder: what clients were told, logs, and where the supervisor is. The data is in volumes.
SUFFIX = "-compose"
GONE = 180.0  # seconds in which Docker has taken all down: workers may end their tasks for 60 of them


class ComposeLab(LocalLab):
    """The lab of the project's docker-compose.yml.

    It attaches to the containers that are there, however they were brought up. A supervisor on this machine says each
    word to Docker, and tells what becomes of the containers.
    """

    def __init__(
        self,
        state: Path | str | None = None,
        *,
        counts: Mapping[str, int] | None = None,
        env: Mapping[str, str] | None = None,
        with_parent: bool = False,
    ) -> None:
        super().__init__(_own_folder() if state is None else state, counts=counts, env=env, with_parent=with_parent)
        self.project = Project()
        #: Were there containers before `up`? Then it is not ours to take them down when that fails.
        self._were_there = False

    def __repr__(self) -> str:
        return f"ComposeLab({str(self.folder.root)!r})"

    def _come_up(self, on_event: OnEvent) -> None:
        self._were_there = self._has_containers()
        super()._come_up(on_event)

    def _give_up(self) -> str:
        if not self._were_there:
            return super()._give_up()
        sweep(self.folder)  # the supervisor, and what it had Docker do
        self.folder.forget_lab()
        return "The containers that were there are there still: docker compose ps"

    def down(self) -> None:
        """Take all containers down, and keep their volumes. Raises CommandFailed, also when Docker hangs."""
        super().down()
        if self._has_containers():
            self.project.compose(*ALL, "down", seconds=GONE)

    def reset(self) -> None:
        """Take all containers down, and forget their volumes too. Raises CommandFailed, also when Docker hangs."""
        super().down()
        self.project.compose(*ALL, "down", "--volumes", seconds=GONE)
        self.folder.forget_data()

    def scratch(self) -> list[Scratch]:
        """What lies in the folder that workers share, as the keeper sees it. Raises CommandFailed."""
        words = ("exec", "--no-TTY", "keeper", "python", "-m", "services.container", "scratch")
        return [Scratch.from_json(one) for one in json.loads(self.project.compose(*words, seconds=ANSWER))]

    def _supervisor(self) -> list[str]:
        return [sys.executable, "-P", "-m", "vidlab.lab.compose.supervisor"]

    def _read(self) -> LabFile:
        if not self.running and self._has_containers():
            self._attach()
        return super()._read()

    def _attach(self) -> None:
        """Have a supervisor follow the containers that somebody brought up by docker compose."""
        self.folder.make()
        with self.folder.locked("up"):
            if not self.running:
                self._begin("--attach")

    def _has_containers(self) -> bool:
        return any(one.status in ("running", "paused", "restarting") for one in self.project.containers())


def _own_folder() -> Path:
    """The folder that VIDLAB_STATE names, or else one beside the local lab's."""
    settings = Settings()
    named = "state" in settings.model_fields_set
    return settings.state if named else settings.state.with_name(settings.state.name + SUFFIX)
