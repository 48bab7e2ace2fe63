"""What the widgets fetch besides: Plotly, once for all of a page, and sample clips to send.

The clips' bytes come from here and not from the notebook's kernel, so that one can be sent while a cell blocks it;
they then go the way that a file of the learner's own goes. The bundles are open, because a browser's `import` can
carry no token, and they tell nothing. None of it is told in the API's document: it is not about videos.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from fastapi import APIRouter
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from vidlab.api.parts import Given
from vidlab.bundles import BUNDLES, COMMAND, WHOLE
from vidlab.clips import CLIPS, make, sample_path
from vidlab.errors import PartMissing, UnknownClip
from vidlab.settings import Settings

PATH = "/bundles"

router = APIRouter(prefix="/clips", include_in_schema=False)

SAMPLE = "sample"
#: In the order in which the drop-down shows them; the last ones end failed, each for a reason of its own.
OFFERED: dict[str, str] = {
    SAMPLE: "Big Buck Bunny, 1280x720, 5 s",
    **{name: CLIPS[name].what for name in ("tiny", "flash", "portrait", "silent", "landscape")},
    **{name: f"must fail: {CLIPS[name].what}" for name in ("truncated", "audio_only", "infected")},
}

_making = Lock()


class Bundles(StaticFiles):
    """The files as they are, with ETags; what is not there is not found."""

    def __init__(self) -> None:
        super().__init__(directory=BUNDLES, check_dir=False)

    async def check_config(self) -> None:
        """Say what to type where they were not built. Raises PartMissing."""
        if not WHOLE.exists():
            raise PartMissing(part="the widgets' JavaScript", why=f"{WHOLE} is not there", command=COMMAND)


class ClipView(BaseModel):
    """A clip that can be fetched."""

    name: str
    what: str


@router.get("")
def clips() -> list[ClipView]:
    """The sample clips."""
    return [ClipView(name=name, what=what) for name, what in OFFERED.items()]


@router.get("/{name}")
def clip(name: str, parts: Given) -> FileResponse:
    """A clip's file, made first where it is not there: that takes up to some seconds."""
    if name not in OFFERED:
        raise UnknownClip(name=name)
    path = _file(name, parts.settings)
    return FileResponse(path, filename=path.name)


def _file(name: str, settings: Settings) -> Path:
    if name == SAMPLE:
        return sample_path()
    with _making:  # two at once would write the same draft
        return make(name, settings.state.absolute() / "clips", settings)
