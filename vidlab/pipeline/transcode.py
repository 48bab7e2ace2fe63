"""One profile of one video: an HLS rendition, or the thumbnail."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vidlab import paths
from vidlab.ffmpeg import run
from vidlab.hls import measure
from vidlab.media import Media
from vidlab.models import Lease
from vidlab.pipeline.work import Attempt
from vidlab.profiles import Profile, profile_named
from vidlab.renditions import rendition_command, thumbnail_command

UPLOADS = 4  # segments that are sent at once


def transcode(attempt: Attempt) -> Lease | None:
    """Make what the profile asks for, store it, and turn the profile's column TRUE.

    Gives the lease of the master playlist when this was the last one.
    """
    profile = profile_named(attempt.lease.stage)
    source = attempt.file("source.mp4")
    with attempt.span("download"):
        path = paths.source_path(attempt.video.video_hash)
        attempt.storage.download(path, source, etag=attempt.video.source_etag, check=attempt.check)
    media = Media.from_json(attempt.video.media or {})
    make = _make_rendition if profile.height else _make_thumbnail
    return make(attempt, profile, media, source)


def _make_rendition(attempt: Attempt, profile: Profile, media: Media, source: Path) -> Lease | None:
    folder = attempt.file("hls")
    folder.mkdir()
    with attempt.span("encode"):
        _encode(attempt, rendition_command(source, folder, profile, media, attempt.settings), media)
        stream = measure(folder, attempt.settings)
    with attempt.span("upload"):
        prefix = paths.rendition_prefix(attempt.video.video_hash, profile.name)
        segments = sorted(folder.glob("*.ts"))
        _upload(attempt, prefix, segments)
        _upload(attempt, prefix, [folder / "playlist.m3u8"])  # last: it lists what is there
    return _finish(attempt, stream.as_json())


def _make_thumbnail(attempt: Attempt, _profile: Profile, media: Media, source: Path) -> Lease | None:
    picture = attempt.file("thumbnail.jpg")
    with attempt.span("encode"):
        _encode(attempt, thumbnail_command(source, picture, media, attempt.settings), media)
    with attempt.span("upload"):
        _upload(attempt, attempt.video.video_hash, [picture])
    path = paths.thumbnail_path(attempt.video.video_hash)
    return _finish(attempt, {"bytes": picture.stat().st_size}, thumbnail_url=paths.media_path(path))


def _encode(attempt: Attempt, command: Sequence[str], media: Media) -> None:
    run(
        list(command),
        attempt.settings,
        duration=media.duration,
        on_progress=attempt.report,
        stopping=attempt.stopping,
    )


def _upload(attempt: Attempt, prefix: str, files: Sequence[Path]) -> None:
    """Send the files, each with this attempt's fence. Raises FencedOff when a later attempt has published."""
    attempt.check()

    def send(file: Path) -> None:
        target = f"{prefix.rstrip('/')}/{file.name}"
        attempt.store_file(target, file)

    with ThreadPoolExecutor(UPLOADS) as pool:
        list(pool.map(send, files))


def _finish(attempt: Attempt, output: dict[str, Any], **facts: Any) -> Lease | None:
    return attempt.shop.patiently(lambda: attempt.store.finish_rendition(attempt.lease, output, **facts))
