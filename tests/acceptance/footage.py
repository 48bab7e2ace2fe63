"""The clips that go through a whole lab: those of `vidlab.clips`, and two that only its tests want."""

from __future__ import annotations

from pathlib import Path

from vidlab import clips as table
from vidlab.clips import AAC, H264, Clip, make_clip, picture, tone

OURS = {
    clip.name: clip
    for clip in (
        Clip(
            name="full_hd",
            what="all five rungs and two segments in few frames",
            arguments=f"{picture('1920x1080', '10', 7)} {tone(7)} {H264} {AAC}",
        ),
        Clip(
            name="long",
            what="four rungs and three segments; 720p takes some seconds",
            arguments=f"{picture('1280x720', '15', 13)} {tone(13)} {H264} {AAC}",
        ),
    )
}


def footage(name: str, folder: Path) -> Path:
    """The clip of that name in `folder`, made when it is not there. Raises KeyError."""
    return make_clip(OURS[name], folder) if name in OURS else table.make(name, folder)
