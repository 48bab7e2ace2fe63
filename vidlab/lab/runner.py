"""What a lab can do for the Python face, however its processes are run: the one place where kinds differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from vidlab.lab.folder import Folder
from vidlab.lab.journal import Event
from vidlab.lab.scratch import Scratch
from vidlab.lab.status import LabStatus
from vidlab.settings import Settings


class Runner(Protocol):
    """A lab's processes: `LocalLab` runs them on this machine. Each word is a command of the command line too."""

    #: The state folder: the lab's secret, and the histories of what its clients were told.
    folder: Folder

    def up(self, on_event: Callable[[Event], None] = ...) -> Any:
        """Start the lab, and return when it is ready; at once when it is up already."""

    def down(self) -> None:
        """Take it down and keep its data."""

    def reset(self) -> None:
        """Take it down and forget its data."""

    def status(self) -> LabStatus:
        """What runs, and where; also when the lab is down."""

    def logs(self, name: str, lines: int = 50) -> str:
        """The last lines of a process's log."""

    def scale(self, kind: str, count: int) -> int:
        """Change how many of a kind are wanted, and give how many were."""

    def kill(self, name: str | int) -> list[str]:
        """End processes at once."""

    def pause(self, name: str) -> list[str]:
        """Stop processes where they stand."""

    def resume(self, name: str) -> list[str]:
        """Let paused processes go on."""

    def restart(self, name: str) -> list[str]:
        """Start processes anew once they have finished what they have in hand."""

    def fault(self, name: str, target: str = "", seconds: float | None = None) -> dict[str, Any]:
        """Begin a fault."""

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are on."""

    def faults_over(self, number: int | None = None) -> list[dict[str, Any]]:
        """End a fault, or all."""

    def wait(self, name: str, state: str = "running", seconds: float = 30.0) -> LabStatus:
        """Wait until each process that the name means is in that state."""

    def scratch(self) -> list[Scratch]:
        """What lies where work in progress lies."""

    def wait_for_none(self, kind: str, seconds: float = 30.0) -> None:
        """Wait until there is none of that kind. Raises LabFailed when that takes longer."""

    def settings(self) -> Settings:
        """Settings with this lab's addresses. Raises LabNotRunning."""

    @property
    def control(self) -> tuple[str, str]:
        """Where its processes take orders, and the secret that must be told there. Raises LabNotRunning."""
