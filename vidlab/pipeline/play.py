"""What may be played: of completed videos the playlists, their segments and the thumbnail, and nothing else.

Not the original, which is what somebody sent, and no path that leads outside: what is not named here is not there.
"""

from __future__ import annotations

import re

from vidlab.errors import NoSuchMedia, UnknownVideo
from vidlab.models import Status
from vidlab.store import Store

#: Below a video's folder.
PLAYABLE = re.compile(r"hls/master\.m3u8|hls/[a-z0-9_]+/(playlist\.m3u8|segment_\d{3,6}\.ts)|thumbnail\.jpg", re.ASCII)


def blob_to_play(store: Store, video_hash: str, path: str) -> str:
    """The path of the blob. Raises NoSuchMedia."""
    whole = f"{video_hash}/{path}"
    if not PLAYABLE.fullmatch(path):
        raise NoSuchMedia(path=whole)
    try:
        video = store.video(video_hash)
    except UnknownVideo as error:
        raise NoSuchMedia(path=whole) from error
    if video.status != Status.COMPLETED:
        raise NoSuchMedia(path=whole)
    return f"{video.video_hash}/{path}"
