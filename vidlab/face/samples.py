"""The clips that notebooks send, by name; short ones stand in for them where many notebooks are to be run in turn."""

from __future__ import annotations

from pathlib import Path

from vidlab.clips import CLIPS, make, sample_path
from vidlab.errors import UnknownClip
from vidlab.settings import Settings

SAMPLE = "sample"  # some seconds of Big Buck Bunny

#: With VIDLAB_SMALL_CLIPS=1: name -> the shorter clip that does as well.
SMALL = {SAMPLE: "tiny", "bench": "landscape"}


def sample(name: str, settings: Settings) -> Path:
    """The file of that clip, made in the lab's folder when it is not there. Raises UnknownClip."""
    meant = SMALL.get(name, name) if settings.small_clips else name
    if meant == SAMPLE:
        return sample_path()
    if meant not in CLIPS:
        raise UnknownClip(name=name)
    return make(meant, settings.state.absolute() / "clips", settings)
