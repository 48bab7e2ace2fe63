"""`Dashboard`: the flow as a live picture, bars for each profile, and the processes with their buttons."""

from __future__ import annotations

import html
from typing import Any

from vidlab.errors import VidLabError
from vidlab.widgets.base import LabWidget

VIDEOS = 5  # newest that the static picture shows


class Dashboard(LabWidget):
    """Shows the lab as it is now. Its buttons go straight to the supervisor: a blocked kernel holds up neither."""

    bundle = "dashboard"

    def picture(self) -> str:
        """What waits where, the newest videos, and the processes, as tables."""
        try:
            parts = (self._flow(), self._videos(), self._processes())
        except VidLabError as error:
            return f"<p>{html.escape(str(error))} {html.escape(error.advice)}</p>"
        return "".join(parts)

    def _flow(self) -> str:
        behind = self.lab.lag().groupby("group", sort=False)["lag"].sum().rename("messages behind")
        frame = self.lab.queues().set_index("queue").join(behind)
        return _table(frame[["messages behind", "waiting", "running"]])

    def _videos(self) -> str:
        frame = self.lab.videos(limit=VIDEOS)
        return _table(frame[["title", "status", "seconds"]].set_index("title"))

    def _processes(self) -> str:
        return _table(self.lab.status()[["state", "pid", "restarts", "note"]])


def _table(frame: Any) -> str:
    return str(frame.to_html(na_rep=""))
