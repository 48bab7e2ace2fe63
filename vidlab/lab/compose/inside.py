"""`InsideLab`: the lab as one of its own containers sees it. Its supervisor, where there is one, is on the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn, Self

from vidlab.errors import LabNotRunning, NoSupervisor
from vidlab.lab.client import Client
from vidlab.lab.local import LocalLab, OnEvent
from vidlab.lab.scratch import Scratch, scratch_of
from vidlab.lab.spec import matching
from vidlab.lab.status import LabStatus
from vidlab.settings import Settings

#: Where this container sees the workers' folder, and may not write.
SHARED = Path("/workers")


class InsideLab(LocalLab):
    """The words of `LocalLab`, said to the host. It is up as long as this container is."""

    def up(self, on_event: OnEvent = lambda event: None) -> Self:
        """Nothing to do: what runs here is a part of it."""
        return self

    def down(self) -> NoReturn:
        """Raises NoSupervisor: whoever speaks here would go down with it."""
        raise NoSupervisor(what="taken down", command="docker compose down")

    def reset(self) -> NoReturn:
        """Raises NoSupervisor: whoever speaks here would go down with it."""
        raise NoSupervisor(what="reset", command="docker compose down --volumes")

    def logs(self, name: str, lines: int = 50) -> str:
        """The last lines of the log of a process, or of each of a kind."""
        names = [one.name for one in self.status().processes]
        return "".join(self._client().log(one, lines) for one in matching(name, names))

    def scratch(self) -> list[Scratch]:
        """What lies in the folder that workers share."""
        return scratch_of(SHARED)

    def settings(self) -> Settings:
        """What this container was told."""
        return Settings(state=self.folder.root)

    def _look(self) -> LabStatus:
        try:
            return super()._look()
        except NoSupervisor:
            return LabStatus(state="up", api_url=self.settings().api_url)

    def _client(self) -> Client:
        lab = self.folder.read_lab()
        if lab is None:
            raise _nobody()
        return _Asked(self.folder, lab)


class _Asked(Client):
    """A supervisor that does not answer is none: it is not this container's to start one."""

    def _ask(self, method: str, path: str, body: Any = None, timeout: float | None = None) -> Any:
        try:
            return super()._ask(method, path, body, timeout)
        except LabNotRunning as error:
            raise _nobody() from error


def _nobody() -> NoSupervisor:
    return NoSupervisor(what="looked at, or changed", command="vidlab --lab compose status")
