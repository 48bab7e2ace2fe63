"""The lab as Python says it: one object with the words of the command line, for notebooks and scripts."""

from __future__ import annotations

from pathlib import Path

from vidlab.face.lab import Lab
from vidlab.face.video import Video

__all__ = ["Lab", "Video", "connect"]


def connect(lab: Path | str | None = None) -> Lab:
    """The running lab of this project, started first where it is down.

    `lab` is "local" for processes of this machine, "compose" for containers, or another lab's folder; without it
    VIDLAB_LAB says which. Raises NotReady, PartMissing or LabFailed when it cannot be started.
    """
    from vidlab.face.frames import show_whole_sentences
    from vidlab.lab.choice import chosen_lab
    from vidlab.logs import only_warnings

    only_warnings()
    show_whole_sentences()
    found = Lab(chosen_lab(str(lab)) if lab in ("local", "compose") else chosen_lab(state=lab))
    found.up()
    return found
