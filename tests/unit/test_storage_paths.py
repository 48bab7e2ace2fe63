from __future__ import annotations

import pytest

from vidlab import paths


def test_everything_of_a_video_lies_where_the_architecture_says() -> None:
    assert paths.original_path("h", "mkv") == "h/original.mkv"
    assert paths.source_path("h") == "h/source.mp4"
    assert paths.master_path("h") == "h/hls/master.m3u8"
    assert paths.rendition_prefix("h", "144p") == "h/hls/144p/"
    assert paths.playlist_path("h", "144p") == "h/hls/144p/playlist.m3u8"
    assert paths.thumbnail_path("h") == "h/thumbnail.jpg"
    assert paths.media_path(paths.master_path("h")) == "/media/h/hls/master.m3u8"


@pytest.mark.parametrize(
    ("path", "mime_type"),
    [
        ("h/hls/master.m3u8", "application/vnd.apple.mpegurl"),
        ("h/hls/144p/segment_000.ts", "video/mp2t"),
        ("h/thumbnail.jpg", "image/jpeg"),
        ("h/original.html", "application/octet-stream"),
    ],
)
def test_the_ending_tells_the_type(path: str, mime_type: str) -> None:
    assert paths.kind_of(path).mime_type == mime_type


def test_only_segments_are_kept_for_ever() -> None:
    assert "immutable" in paths.kind_of("segment_000.ts").cache_control
    assert paths.kind_of("playlist.m3u8").cache_control == "no-cache"
