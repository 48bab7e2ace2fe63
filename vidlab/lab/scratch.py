"""What lies in a lab's scratch folder: work in progress, or what somebody left."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Scratch:
    """Work in progress on the disk: a process's folder, or a file beside them."""

    #: The process whose folder it is.
    name: str
    #: The files in it.
    files: tuple[str, ...]
    bytes: int
    #: Which folder it is, and as it was last changed: another look sees whether somebody works there.
    identity: tuple[int, int] = field(repr=False)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Scratch:
        """From its fields, as JSON has them."""
        inode, changed = told["identity"]
        return cls(name=told["name"], files=tuple(told["files"]), bytes=told["bytes"], identity=(inode, changed))


def scratch_of(state: Path) -> list[Scratch]:
    """What lies where work in progress lies; an empty folder is nothing."""
    with contextlib.suppress(OSError):
        return [found for path in sorted((state.absolute() / "scratch").iterdir()) if (found := _scratch(path))]
    return []


def _scratch(path: Path) -> Scratch | None:
    try:
        files = [one for one in (path.rglob("*") if path.is_dir() else [path]) if one.is_file()]
        seen, total = path.stat(), sum(one.stat().st_size for one in files)
    except OSError:  # gone in between
        return None
    if not files:
        return None
    names = tuple(sorted(str(one.relative_to(path.parent)) for one in files))
    return Scratch(name=path.name, files=names, bytes=total, identity=(seen.st_ino, seen.st_mtime_ns))
