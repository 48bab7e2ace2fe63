"""Playlists are read strictly and written from what was measured."""

from __future__ import annotations

import json

import pytest

from vidlab.hls import Segment, Stream, avc_codec, master, parse, peak
from vidlab.playback import check_playback
from vidlab.settings import Settings

MEDIA = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:6
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXTINF:6.000000,
segment_000.ts
#EXT-X-ENDLIST
"""


def segments(*pieces: tuple[float, int]) -> tuple[Segment, ...]:
    return tuple(
        Segment(name=f"segment_{number:03}.ts", duration=duration, bytes=size)
        for number, (duration, size) in enumerate(pieces)
    )


def stream(bandwidth: int, width: int = 640, height: int = 360, frame_rate: str = "24000/1001") -> Stream:
    return Stream(
        width=width,
        height=height,
        frame_rate=frame_rate,
        codecs="avc1.64001e,mp4a.40.2",
        bandwidth=bandwidth,
        average_bandwidth=bandwidth - 1,
        duration=6.0,
        bytes=bandwidth * 6 // 8,
        target_duration=6,
        segments=segments((6.0, bandwidth * 6 // 8)),
    )


def test_the_master_is_ordered_by_bandwidth_and_says_all_that_a_player_wants() -> None:
    assert master({"720p": stream(2_000_000, 1280, 720), "144p": stream(200_000, 256, 144, "25/1")}) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:6\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-STREAM-INF:BANDWIDTH=200000,AVERAGE-BANDWIDTH=199999,CODECS="avc1.64001e,mp4a.40.2",'
        "RESOLUTION=256x144,FRAME-RATE=25.000\n"
        "144p/playlist.m3u8\n"
        '#EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1999999,CODECS="avc1.64001e,mp4a.40.2",'
        "RESOLUTION=1280x720,FRAME-RATE=23.976\n"
        "720p/playlist.m3u8\n"
    )


def test_the_master_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = {"a": stream(3), "b": stream(1), "c": stream(2)}
    assert master(rows) == master(dict(reversed(rows.items())))


def test_the_master_can_be_read_strictly() -> None:
    (variant,) = parse(master({"144p": stream(200_000)})).playlists
    assert variant.uri == "144p/playlist.m3u8"
    assert variant.stream_info.codecs == "avc1.64001e,mp4a.40.2"


def test_a_stream_is_the_same_after_json() -> None:
    assert Stream.from_json(json.loads(json.dumps(stream(5).as_json()))) == stream(5)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([(6.0, 6_000), (6.0, 9_000)], 12_000),  # the larger of two
        ([(6.0, 6_000), (0.04, 600)], 8_742),  # one frame at the end counts with its neighbour only
        ([(6.0, 6_000), (3.0, 6_000)], 16_000),  # half a target duration counts by itself
        ([(0.4, 500)], 10_000),  # shorter than all that: the whole
    ],
)
def test_the_peak_is_that_of_rfc_8216(pieces: list[tuple[float, int]], expected: int) -> None:
    assert peak(segments(*pieces), 6) == expected


def test_the_codec_is_read_from_the_parameter_set_not_guessed() -> None:
    assert avc_codec(bytes.fromhex("00000001 09f0 00000001 6742c01e ac 000001 68ef8fcb")) == "avc1.42c01e"
    with pytest.raises(ValueError, match="no sequence parameter set"):
        avc_codec(b"\x00\x00\x01\x68")


@pytest.mark.parametrize(
    "text", ["", "hello", MEDIA.replace("#EXTINF:6.000000,", "#EXTINF:six,"), MEDIA.replace("VERSION:6", "VERSION:2")]
)
def test_what_is_not_a_playlist_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the library's
        parse(text)


def problems(files: dict[str, bytes]) -> str:
    def fetch(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    return "\n".join(check_playback(fetch, "hls/master.m3u8", Settings()).problems)


def test_playback_tells_what_is_missing() -> None:
    assert "hls/master.m3u8: cannot be fetched" in problems({})
    assert "hls/master.m3u8: not a playlist" in problems({"hls/master.m3u8": b"<html>"})
    assert "it lists no renditions" in problems({"hls/master.m3u8": b"#EXTM3U\n#EXT-X-VERSION:6\n"})
    listed = {"hls/master.m3u8": master({"144p": stream(200_000)}).encode()}
    assert "hls/144p/playlist.m3u8: cannot be fetched" in problems(listed)
    unfinished = MEDIA.replace("#EXT-X-ENDLIST\n", "").encode()
    assert "it is not finished" in problems(listed | {"hls/144p/playlist.m3u8": unfinished})
