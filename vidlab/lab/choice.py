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
    if (kind or Settings().lab) == "compose":
        from vidlab.lab.compose.lab import ComposeLab  # most commands never need it

        return ComposeLab(state, env=env, with_parent=with_parent)
    return LocalLab(state, env=env, with_parent=with_parent)
