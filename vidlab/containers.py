"""The table of containers that are read, and the flags that keep FFmpeg to them.

A playlist, a concat script or an image sequence named .mp4 could make FFmpeg open other files and addresses: such
formats are not in the table, and only local files may be opened, so that FFmpeg reads the bytes it was given.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

HEAD = 4096  # bytes; enough for what tells containers and text apart
CONTROL_CHARACTERS = set(range(32)) - set(b"\t\n\f\r\x1b")

#: FFmpeg's demuxer -> the MIME type of what it reads. A demuxer that opens other files must never be added.
DEMUXERS = {
    "mov": "video/mp4",
    "matroska": "video/x-matroska",
    "mpegts": "video/mp2t",
    "avi": "video/x-msvideo",
    "mpeg": "video/mpeg",
    "flv": "video/x-flv",
    "asf": "video/x-ms-asf",
    "ogg": "video/ogg",
    "mxf": "application/mxf",
}

#: The first letters of an MP4's brand -> what kind of MP4 it is.
BRANDS = {"qt": "video/quicktime", "3g": "video/3gpp"}

WEBM = b"\x42\x82\x84webm"  # EBML's DocType element with its length

#: Options before an input that hold FFmpeg to the file it was given.
ONLY_THIS_FILE = {
    # no http, no pipe, no concat: protocol
    "protocol_whitelist": "file",
    # no playlists and scripts, whatever the file is called
    "format_whitelist": ",".join(DEMUXERS),
}


def mime_type(path: Path, description: dict[str, Any]) -> str:
    """The MIME type by the content; `description` is the `format` part of ffprobe's answer."""
    names = description["format_name"].split(",")
    if "matroska" in names and WEBM in head(path):
        return "video/webm"
    brand = description.get("tags", {}).get("major_brand", "")
    return BRANDS.get(brand[:2], DEMUXERS[next(name for name in names if name in DEMUXERS)])


def is_text(beginning: bytes) -> bool:
    """Whether a file begins as text does: every container has control characters among its first bytes."""
    return not CONTROL_CHARACTERS & set(beginning)


def head(path: Path) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as file:
        return file.read(HEAD)
