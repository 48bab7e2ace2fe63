"""One video as Python sees it: it draws itself, and is asked again only when told to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from vidlab.views.video import lines
from vidlab.views.video_html import MOST_BARS, block

if TYPE_CHECKING:
    import pandas as pd

    from vidlab.face.lab import Lab


class Video:
    """A video as it was when the API was last asked."""

    def __init__(self, lab: Lab, json: dict[str, Any]) -> None:
        self._lab = lab
        #: The answer of `GET /videos/{hash}`.
        self.json = json

    def __repr__(self) -> str:
        head = f"video {self.video_hash[:8]} {self.status}"
        return "\n".join((head, *lines(None, self.json, datetime.now(UTC))))

    def _repr_html_(self) -> str:
        return block(self.json, datetime.now(UTC))

    @property
    def video_hash(self) -> str:
        return str(self.json["video_hash"])

    @property
    def status(self) -> str:
        """uploading, preprocessing, processing, completed or failed."""
        return str(self.json["status"])

    @property
    def master_url(self) -> str | None:
        """Where it plays, once it is completed."""
        return self.json["master_url"] and str(self.json["master_url"])

    @property
    def seconds(self) -> float | None:
        """From finalize to the end; None before that."""
        if not (self.json["ended_at"] and self.json["finalized_at"]):
            return None
        ended, finalized = (datetime.fromisoformat(self.json[name]) for name in ("ended_at", "finalized_at"))
        return (ended - finalized).total_seconds()

    @property
    def profiles(self) -> pd.DataFrame:
        """Each profile: state, attempt, progress, worker."""
        from vidlab.face import frames

        return frames.profiles(self.json)

    def profile(self, name: str) -> dict[str, Any]:
        """A profile, or a step such as preprocessing, as the API tells it. Raises KeyError."""
        return self._jobs()[name]

    def refresh(self) -> Self:
        """Ask again."""
        self.json = self._lab.video(self).json
        return self

    def wait(self, timeout: float = 300.0) -> Self:
        """Wait for its end, with a bar. Raises NotEnded after `timeout` seconds."""
        self.json = self._lab.wait(self, timeout).json
        return self

    def _jobs(self) -> dict[str, dict[str, Any]]:
        return {job["name"]: job for job in (*self.json["steps"], *self.json["profiles"])}

    def wait_for(self, stage: str, state: str = "running", timeout: float = 60.0) -> Self:
        """Wait until a stage is in that state, or past it, with a bar.

        Raises NotThere after `timeout` seconds; and at once when the video has ended, and the stage never came there.
        """
        from vidlab.face.stage import Aim, reached

        self.json = reached(self._lab.client, self.json, Aim(self.video_hash, stage, state), timeout)
        return self

    def timeline(self) -> pd.DataFrame:
        """Its spans: where its time went."""
        return self._lab.timeline(self)

    def events(self) -> pd.DataFrame:
        """What happened to it, in order."""
        return self._lab.events(self)


class Videos(list[Video]):
    """Several, in their order: a list that draws itself."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))

    def _repr_html_(self) -> str:
        if len(self) <= MOST_BARS:
            return "".join(video._repr_html_() for video in self)
        from vidlab.face import frames

        return str(frames.videos([video.json for video in self]).to_html())


def hash_of(video: Video | str) -> str:
    """The hash of a video, or the hash itself."""
    return video if isinstance(video, str) else video.video_hash
