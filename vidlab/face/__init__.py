"""The lab as Python says it: one object with the words of the command line, for notebooks and scripts."""

from __future__ import annotations

from pathlib import Path

from vidlab.face.lab import Lab
from vidlab.face.video import Video

__all__ = ["Lab", "Video", "connect"]


def connect(state: Path | str | None = None) -> Lab:
    """The running lab of this project, started first where it is down.

    `state` names another lab's folder. Raises NotReady, PartMissing or LabFailed when it cannot be started.
    """
    from vidlab.face.frames import show_whole_sentences
    from vidlab.lab.local import LocalLab
    from vidlab.logs import only_warnings

    only_warnings()
    show_whole_sentences()
    lab = Lab(LocalLab(state))
    lab.up()
    return lab
