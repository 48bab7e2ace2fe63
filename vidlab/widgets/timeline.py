"""`Timeline`: where one video's time went, a row for each stage, waiting apart from work."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import traitlets

from vidlab.face.video import hash_of
from vidlab.views.gantt_html import gantt
from vidlab.widgets.base import LabWidget

if TYPE_CHECKING:
    from vidlab.face import Lab, Video


class Timeline(LabWidget):
    """A Gantt chart of one video, which grows while the video goes on."""

    bundle = "timeline"

    #: "" means the newest.
    video_hash = traitlets.Unicode().tag(sync=True)

    def __init__(self, lab: Lab | None = None, *, video: Video | str | None = None, **traits: Any) -> None:
        """`video`: one of the lab's, or its hash; without one the newest when the chart is drawn."""
        super().__init__(lab, **{"video_hash": hash_of(video) if video else "", **traits})

    def picture(self) -> str:
        """The chart as it is now."""
        client = self.client
        video_hash = self.video_hash or next((one["video_hash"] for one in client.videos(limit=1)), None)
        if video_hash is None:
            return "<p>No video is there to be shown.</p>"
        return gantt(client.video(video_hash), client.timeline(video_hash), datetime.now(UTC))
