"""Which FFmpeg decodes a picture: most often the first, for AV1 and a few more the second.

The same question is asked for colours: an older FFmpeg cannot bring high dynamic range to usual screens.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from vidlab.child import Stopping, never
from vidlab.containers import ONLY_THIS_FILE
from vidlab.errors import FFmpegFailed, NotAVideo, PartMissing
from vidlab.ffmpeg import output_of
from vidlab.ffprobe import flags
from vidlab.media import is_wide
from vidlab.programs import ffmpeg_path
from vidlab.settings import Settings
from vidlab.streams import most_pixels

#: Of `vidlab.programs`, in the order in which they are tried.
DECODERS = ("ffmpeg", "ffmpeg_more")


def decoder_of(path: Path, picture: dict[str, Any], settings: Settings, stopping: Stopping = never) -> tuple[str, bool]:
    """The program that decodes the picture, and whether it can map its colours to those of usual screens.

    Raises NotAVideo when none does: there may be no decoder for it here, or nothing that one could read.
    """
    able = (name for name in DECODERS if _decodes(name, path, picture, settings, stopping))
    first = next(able, None)
    if first is None:
        raise NotAVideo(why=f"its picture cannot be decoded here (codec {picture.get('codec_name', 'unknown')})")
    wide = is_wide(picture.get("color_transfer", ""), picture.get("color_primaries", ""))
    if not wide or maps_colours(first, settings):
        return first, True
    better = next((name for name in able if maps_colours(name, settings)), None)
    return better or first, better is not None


def maps_colours(name: str, settings: Settings) -> bool:
    """Whether an FFmpeg's scaler knows primaries and transfer functions; it does since 8.0."""
    return _maps_colours(ffmpeg_path(settings, name), settings)


@lru_cache
def _maps_colours(program: str, settings: Settings) -> bool:
    return "out_transfer" in output_of([program, "-hide_banner", "-h", "filter=scale"], settings)


def _decodes(name: str, path: Path, picture: dict[str, Any], settings: Settings, stopping: Stopping) -> bool:
    """Whether a first frame comes out."""
    command = [
        *(_program(name, settings), "-hide_banner", "-nostdin", "-loglevel", "error", "-abort_on", "empty_output"),
        *("-max_pixels", str(most_pixels(settings)), *flags(ONLY_THIS_FILE)),
        *("-i", str(path.absolute()), "-map", f"0:{picture['index']}", "-frames:v", "1", "-f", "null", "-"),
    ]
    if not command[0]:
        return False
    try:
        output_of(command, settings, stopping=stopping)
    except FFmpegFailed as error:
        if error.facts["code"] < 0:  # killed from outside: that says nothing of the file
            raise
        return False
    return True


def _program(name: str, settings: Settings) -> str:
    """Its path; empty when it is not there, and can be done without."""
    try:
        return ffmpeg_path(settings, name)
    except PartMissing:
        if name == DECODERS[0] or settings.ffmpeg_more:
            raise
        return ""
