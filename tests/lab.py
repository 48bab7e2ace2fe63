"""One lab for all tests of a session that can share it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from vidlab.client import Client
from vidlab.lab.local import LocalLab
from vidlab.playback import Playback, check_playback, from_web
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.store import Store

HOME = Path(__file__).parents[1]

ENDED = 120.0  # seconds in which a small video must have ended on a busy machine


class RunningLab:
    """A lab with its client and its database, and what tests ask of them."""

    def __init__(self, local: LocalLab, clips: Path) -> None:
        self.local = local
        self.clips = clips
        self.settings: Settings = local.settings()
        self.client = Client(self.settings.api_url, self.settings.api_token)
        self.store = Store(self.settings)
        self.storage = Storage(self.settings)

    def close(self) -> None:
        for opened in (self.client, self.store, self.storage):
            opened.close()

    def send(self, path: Path, **options: Any) -> str:
        """Upload and finalize, and give the video_hash."""
        return str(self.client.upload(path, again=True, **options)["video_hash"])

    def ended(self, video_hash: str, seconds: float = ENDED) -> dict[str, Any]:
        """The video, once it has ended."""
        return self.client.wait(video_hash, timeout=seconds)

    def played(self, video: dict[str, Any]) -> Playback:
        """Fetch and decode all that the master lists."""
        with httpx.Client(timeout=30, trust_env=False) as http:
            return check_playback(from_web(http), video["master_url"], self.settings)

    def kinds(self, video_hash: str, stage: str | None = None) -> list[str]:
        """The kinds of the video's events, in their order."""
        return [event.kind for event in self.store.events(video_hash) if stage in (None, event.stage)]


@contextmanager
def running_lab(state: Path, clips: Path, **env: str) -> Iterator[RunningLab]:
    """A lab that goes down afterwards, whatever happens."""
    with LocalLab(state, with_parent=True, env=env) as local:
        lab = RunningLab(local, clips)
        try:
            yield lab
        finally:
            lab.close()
