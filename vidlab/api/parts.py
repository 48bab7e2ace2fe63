"""What the endpoints work with, handed to them by FastAPI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from vidlab.pipeline.upload import Uploads
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.store import Store


@dataclass(frozen=True)
class Parts:
    """One process's settings and connections. It holds nothing of a video between two requests."""

    settings: Settings
    store: Store
    storage: Storage

    @property
    def uploads(self) -> Uploads:
        return Uploads(self.settings, self.store, self.storage)


def _parts(request: Request) -> Parts:
    found = request.app.state.parts
    assert isinstance(found, Parts)
    return found


Given = Annotated[Parts, Depends(_parts)]
