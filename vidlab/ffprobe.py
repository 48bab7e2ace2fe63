"""How ffprobe is asked about a file, and about nothing but that file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vidlab.containers import ONLY_THIS_FILE
from vidlab.programs import ffprobe_path
from vidlab.settings import Settings


def ffprobe_command(path: Path, settings: Settings, *what: str) -> list[str]:
    """The command that tells of a file, and of nothing but that file, what is asked for."""
    restricted = flags(ONLY_THIS_FILE)
    return [ffprobe_path(settings), "-hide_banner", "-loglevel", "error", *restricted, *what, str(path.absolute())]


def flags(options: Mapping[str, str]) -> list[str]:
    """Options as FFmpeg's command line has them."""
    return [part for key, value in options.items() for part in (f"-{key}", value)]
