"""Where everything of a video lies in blob storage, and how it is told on the web.

The database holds paths, not addresses: ports change. An address is made when it is told.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

#: What the path of everything that may be played begins with, on the web.
MEDIA = "/media"


class Kind(NamedTuple):
    """How a file of that ending is served."""

    mime_type: str
    cache_control: str


_ASK_EACH_TIME = "no-cache"  # kept, but used only after the ETag was asked for
_FOR_EVER = "public, max-age=31536000, immutable"  # a published segment never changes

KINDS: dict[str, Kind] = {
    ".m3u8": Kind("application/vnd.apple.mpegurl", _ASK_EACH_TIME),
    ".ts": Kind("video/mp2t", _FOR_EVER),
    ".jpg": Kind("image/jpeg", _ASK_EACH_TIME),
    ".mp4": Kind("video/mp4", _ASK_EACH_TIME),
}

_OTHER = Kind("application/octet-stream", _ASK_EACH_TIME)


def kind_of(path: str) -> Kind:
    """How this file is served, by its ending."""
    return KINDS.get(PurePosixPath(path).suffix, _OTHER)


def video_prefix(video_hash: str) -> str:
    """All of a video's blobs begin like this."""
    return f"{video_hash}/"


def original_path(video_hash: str, extension: str) -> str:
    """What the user sent; never overwritten."""
    return f"{video_hash}/original.{extension}"


def source_path(video_hash: str) -> str:
    """What the renditions are made from."""
    return f"{video_hash}/source.mp4"


def rendition_prefix(video_hash: str, profile: str) -> str:
    """All files of a rendition begin like this."""
    return f"{video_hash}/hls/{profile}/"


def playlist_path(video_hash: str, profile: str) -> str:
    """A rendition's own playlist."""
    return f"{rendition_prefix(video_hash, profile)}playlist.m3u8"


def master_path(video_hash: str) -> str:
    """The playlist of all renditions, written after they are done."""
    return f"{video_hash}/hls/master.m3u8"


def thumbnail_path(video_hash: str) -> str:
    """The picture that stands for the video."""
    return f"{video_hash}/thumbnail.jpg"


def media_path(path: str) -> str:
    """How a blob is reached by the API: what `api_url` is put before."""
    return f"{MEDIA}/{path}"
