"""`Player`: adaptive HLS in a notebook's cell, with what the player knows shown as it goes."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING, Any

import httpx
import traitlets

from vidlab.face.video import hash_of
from vidlab.widgets.base import LabWidget

if TYPE_CHECKING:
    from vidlab.face import Lab, Video

ANSWER = 2.0  # seconds for the thumbnail


class Player(LabWidget):
    """Plays one video; while that is not completed it waits, and tells how far it is."""

    bundle = "player"

    #: "" means the newest that is completed.
    video_hash = traitlets.Unicode().tag(sync=True)

    def __init__(self, lab: Lab | None = None, *, video: Video | str | None = None, **traits: Any) -> None:
        """`video`: one of the lab's, or its hash; without one the newest that is completed."""
        super().__init__(lab, **{"video_hash": hash_of(video) if video else "", **traits})

    def picture(self) -> str:
        """The video's thumbnail, and where it plays."""
        video = self._video()
        if video is None:
            return "<p>No completed video is there to be played.</p>"
        title, url = html.escape(video["title"]), html.escape(video["master_url"])
        return f'<p><img src="{_as_data(video["thumbnail_url"])}" alt="{title}" width="320"><br>{title}: {url}</p>'

    def _video(self) -> dict[str, Any] | None:
        if self.video_hash:
            found = self.client.video(self.video_hash)
            return found if found["master_url"] else None
        return next(iter(self.client.videos(status="completed", limit=1)), None)


def _as_data(thumbnail_url: str | None) -> str:
    """A picture that is still there when the lab is not; "" where it cannot be had."""
    try:
        answer = httpx.get(thumbnail_url or "", timeout=ANSWER, trust_env=False).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL):
        return ""
    return f"data:image/jpeg;base64,{base64.b64encode(answer.content).decode()}"
