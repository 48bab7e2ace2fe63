"""Which lab is meant: that of this machine's processes, or that of containers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vidlab.lab.local import LocalLab
from vidlab.settings import Settings


def chosen_lab(
    kind: str | None = None,
    state: Path | str | None = None,
    *,
    env: Mapping[str, str] | None = None,
    with_parent: bool = False,
) -> LocalLab:
    """The lab of that kind, `local` or `compose`; else of the kind that VIDLAB_LAB names."""
    kind = kind or Settings().lab
    if kind == "local":
        return LocalLab(state, env=env, with_parent=with_parent)

    from vidlab.lab.compose.inside import InsideLab  # most commands never need these
    from vidlab.lab.compose.lab import ComposeLab

    if kind == "inside":
        return InsideLab(state)
    return ComposeLab(state, env=env, with_parent=with_parent)
