"""`Dashboard`: the flow as a live picture, bars for each profile, and the processes with their buttons."""

from __future__ import annotations

import html
from typing import Any

import pandas as pd

from vidlab.errors import VidLabError
from vidlab.face import frames
from vidlab.widgets.base import LabWidget

VIDEOS = 5  # newest that the static picture shows


class Dashboard(LabWidget):
    """Shows the lab as it is now. Its buttons go straight to the supervisor: a blocked kernel holds up neither."""

    bundle = "dashboard"

    def picture(self) -> str:
        """What waits where, the newest videos, and the processes, as tables; each as far as it is known."""
        try:
            told = self.client.live()
        except VidLabError as error:
            return f"<p>{html.escape(f'{error} {error.advice}')}</p>{_processes(self._supervised())}"
        return f"{_flow(told)}{_videos(told['videos'])}{_processes(told['processes'])}"

    def _supervised(self) -> list[dict[str, Any]] | None:
        """The processes as the supervisor knows them, which answers also where the API is what hangs."""
        try:
            return [one.as_json() for one in self.lab.runner.status().processes]
        except VidLabError:
            return None


def _flow(told: dict[str, Any]) -> str:
    """Of each stage: messages behind in Kafka, tasks in its queue."""
    behind = _table(told["lag"], ("group", "messages"), "consumer groups")
    return behind + _table(told["queues"], ("queue", "waiting", "running"), "queues")


def _videos(found: list[dict[str, Any]]) -> str:
    return str(frames.videos(found[:VIDEOS])[["title", "status", "seconds"]].to_html(index=False, na_rep=""))


def _processes(found: list[dict[str, Any]] | None) -> str:
    return _table(found, ("name", "state", "pid", "restarts", "note"), "processes")


def _table(rows: list[dict[str, Any]] | None, columns: tuple[str, ...], what: str) -> str:
    if rows is None:
        return f"<p>The {what} are not known now.</p>"
    return str(pd.DataFrame(rows, columns=list(columns), dtype=object).to_html(index=False, na_rep=""))
