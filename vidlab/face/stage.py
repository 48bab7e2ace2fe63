"""One stage of a video that is waited for: the bar, the time-out, and what can no longer come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vidlab.client import Client
from vidlab.errors import OutOfSight, StageNotThere, StageOver
from vidlab.face.bars import watching

POLL = 0.1  # seconds

#: State -> those that come after it.
PAST = {
    "queued": ("running", "done", "failed", "skipped"),
    "running": ("done", "failed", "skipped"),
}

VideoJson = dict[str, Any]


@dataclass(frozen=True)
class Aim:
    """A stage of a video in a state, or past it."""

    video_hash: str
    stage: str
    state: str

    def __str__(self) -> str:
        return f"{self.stage} of video {self.video_hash[:8]} to be {self.state}"

    def is_reached(self, video: VideoJson) -> bool:
        return self.seen(video) in (self.state, *PAST.get(self.state, ()))

    def seen(self, video: VideoJson) -> str:
        """The stage's state as it was told last."""
        jobs = {job["name"]: job for job in (*video["steps"], *video["profiles"])}
        return str(jobs[self.stage]["state"]) if self.stage in jobs else "not there"


def reached(client: Client, video: VideoJson, aim: Aim, timeout: float) -> VideoJson:
    """The video once the stage is there. Raises StageNotThere after `timeout` seconds, and StageOver."""
    why = ""
    with watching(1) as show:
        show(video)
        try:
            for video in client.looks(aim.video_hash, timeout, POLL):
                show(video)
                if aim.is_reached(video):
                    return video
                if video["ended_at"]:
                    raise _over(aim, video)
        except OutOfSight as error:
            why = f", as far as is known: {error.facts['why']}"
    raise StageNotThere(what=str(aim), seconds=round(timeout), seen=f"{aim.seen(video)}{why}")


def _over(aim: Aim, video: VideoJson) -> StageOver:
    error = video["error"]
    end = f"failed in {error['stage']}: {error['reason'].rstrip('.')}" if error else f"is {video['status']}"
    return StageOver(what=str(aim), seen=aim.seen(video), end=end, video_hash=aim.video_hash)
