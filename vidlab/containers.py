"""The table of containers that are read, and the flags that keep FFmpeg to them.

A playlist, a concat script or an image sequence named .mp4 could make FFmpeg open other files and addresses: such
formats are not in the table, and only local files may be opened, so that FFmpeg reads the bytes it was given.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

HEAD = 4096  # bytes; enough for what tells containers and text apart
CONTROL_CHARACTERS = set(range(32)) - set(b"\t\n\f\r\x1b")

#: How files begin that people take for videos -> what they are.
KINDS = {
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"BM": "a picture (BMP)",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
    b"%PDF": "a PDF",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"ID3": "sound (MP3)",
    b"fLaC": "sound (FLAC)",
}
BRANDED = {b"ftypavif": "a picture (AVIF)", b"ftypheic": "a picture (HEIC)", b"ftypheix": "a picture (HEIC)"}
RIFF = {b"WEBP": "a picture (WebP)", b"WAVE": "sound (WAV)"}  # what stands 8 bytes after "RIFF"

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

#: Containers in which FFmpeg expects times to begin anew, because recordings of them are joined byte by byte.
JOINED = ("mpegts", "mpeg", "ogg")

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


def kind_of(beginning: bytes) -> str | None:
    """What a file is that is certainly no video, by how it begins; None when it may be one."""
    if beginning[:4] == b"RIFF":
        return RIFF.get(beginning[8:12])
    if beginning.startswith((b"\xff\xfe", b"\xfe\xff")) or is_text(beginning):
        return "text"  # with those first two bytes in UTF-16
    plain = next((kind for start, kind in KINDS.items() if beginning.startswith(start)), None)
    return plain or BRANDED.get(beginning[4:12])


def is_text(beginning: bytes) -> bool:
    """Whether a file begins as text does: every container has control characters among its first bytes."""
    return not CONTROL_CHARACTERS & set(beginning)


def head(path: Path) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as file:
        return file.read(HEAD)
