"""Playlists: measures a rendition as it lies on disk, and writes the master playlist from what was measured.

The words are those of RFC 8216. Nothing is guessed: sizes are file sizes, codecs stand in the first segment.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import m3u8
from pydantic import TypeAdapter

from vidlab.ffmpeg import output_of
from vidlab.probe import ffprobe_command
from vidlab.rates import declared_rates, meant_rate
from vidlab.renditions import PLAYLIST
from vidlab.settings import Settings

VERSION = 6  # of the protocol; the one that FFmpeg's playlists declare

#: ffprobe's name of an AAC profile -> its number in the codecs string (RFC 6381).
AAC_OBJECT_TYPES = {"LC": 2, "HE-AAC": 5, "HE-AACv2": 29}

START_CODE = b"\x00\x00\x01"  # before each NAL unit
SPS = 7  # the type of the NAL unit that says how to decode; in the low 5 bits of its first byte


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A piece of a stream."""

    name: str
    #: Seconds, as the playlist says.
    duration: float
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A rendition, measured. `asdict` makes JSON of it, `Stream.from_json` a stream of that."""

    width: int
    height: int
    #: An exact fraction.
    frame_rate: str
    #: As in RFC 6381: avc1.64001f,mp4a.40.2
    codecs: str
    #: Peak segment bit rate, bit/s.
    bandwidth: int
    #: Over all segments, bit/s.
    average_bandwidth: int
    #: Seconds.
    duration: float
    bytes: int
    #: The longest segment, in whole seconds, as the playlist says.
    target_duration: int
    segments: tuple[Segment, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> Stream:
        """Raises pydantic.ValidationError."""
        return _adapter.validate_python(plain)


_adapter = TypeAdapter(Stream)


# -- Measuring ------------------------------------------------------------------------------------------------------


def measure(folder: Path, settings: Settings) -> Stream:
    """A finished rendition: its playlist read strictly, each segment's file weighed, the first one looked into.

    Raises OSError when a segment is missing, ValueError when the playlist is not a finished one.
    """
    playlist = parse((folder / PLAYLIST).read_text())
    if not (playlist.is_endlist and playlist.segments):
        raise ValueError(f"{folder / PLAYLIST} is not a finished playlist")
    segments = tuple(
        Segment(name=item.uri, duration=item.duration, bytes=(folder / item.uri).stat().st_size)
        for item in playlist.segments
    )
    picture, *sounds = _streams(folder / segments[0].name, settings)
    return Stream(
        width=picture["width"],
        height=picture["height"],
        frame_rate=_frame_rate(picture, segments[0]),
        codecs=",".join([avc_codec(_extradata(picture)), *sorted({_aac_codec(sound) for sound in sounds})]),
        bandwidth=peak(segments, playlist.target_duration),
        average_bandwidth=_rate(segments),
        duration=round(sum(segment.duration for segment in segments), 6),
        bytes=sum(segment.bytes for segment in segments),
        target_duration=playlist.target_duration,
        segments=segments,
    )


def parse(text: str) -> Any:
    """A playlist, read strictly. Raises ValueError for what is none, or has lines that are not known."""
    if not text.startswith("#EXTM3U"):
        raise ValueError("it does not begin with #EXTM3U")
    try:
        return m3u8.M3U8(text, strict=True)
    except Exception as error:  # the library raises a bare Exception for lines that do not fit the version
        raise ValueError(str(error)) from error


def peak(segments: Sequence[Segment], target: float) -> int:
    """Peak segment bit rate: the highest of any row of segments that lasts 0.5 to 1.5 target durations (RFC 8216, 4.1).

    So a last segment of a few frames, which begins with a key frame as all do, does not count by itself.
    """
    rows = (segments[first:last] for first in range(len(segments)) for last in _ends(segments, first, target))
    return max((_rate(row) for row in rows), default=_rate(segments))


def _ends(segments: Sequence[Segment], first: int, target: float) -> list[int]:
    ends, lasts = [], 0.0
    for place in range(first, len(segments)):
        lasts += segments[place].duration
        if lasts > 1.5 * target:
            break
        if lasts >= 0.5 * target:
            ends.append(place + 1)
    return ends


def _rate(segments: Sequence[Segment]) -> int:
    return math.ceil(sum(segment.bytes for segment in segments) * 8 / sum(segment.duration for segment in segments))


def _streams(path: Path, settings: Settings) -> list[dict[str, Any]]:
    """What ffprobe says of a segment's streams, the picture first."""
    what = ("-show_streams", "-show_data", "-count_packets", "-of", "json")
    told = output_of(ffprobe_command(path, settings, *what), settings)
    streams: list[dict[str, Any]] = json.loads(told)["streams"]
    return sorted(streams, key=lambda stream: stream["codec_type"] != "video")


def _frame_rate(picture: dict[str, Any], segment: Segment) -> str:
    """The segment's pictures over its duration; what its stream declares is a guess when they are few."""
    rate = meant_rate(Fraction(int(picture["nb_read_packets"])) / Fraction(segment.duration), declared_rates(picture))
    return f"{rate.numerator}/{rate.denominator}"


def _extradata(stream: dict[str, Any]) -> bytes:
    """The parameter sets, from ffprobe's dump: lines of an offset, 16 bytes in hexadecimal, and the same as text."""
    lines = [line for line in stream["extradata"].splitlines() if line]
    return b"".join(bytes.fromhex(line.partition(": ")[2][:40]) for line in lines)


def avc_codec(parameter_sets: bytes) -> str:
    """The codec string: profile, constraints and level are the three bytes after the SPS's first (RFC 6381, 3.3)."""
    for unit in parameter_sets.split(START_CODE):
        if unit and unit[0] & 0x1F == SPS:
            return f"avc1.{unit[1:4].hex()}"
    raise ValueError("the segment has no sequence parameter set")


def _aac_codec(stream: dict[str, Any]) -> str:
    return f"mp4a.40.{AAC_OBJECT_TYPES[stream['profile']]}"


# -- The master playlist --------------------------------------------------------------------------------------------


def master(streams: Mapping[str, Stream]) -> str:
    """The master playlist, the smallest bandwidth first: a pure function of what was measured."""
    ordered = sorted(streams.items(), key=lambda item: (item[1].bandwidth, item[0]))
    variants = [line for name, stream in ordered for line in (_stream_inf(stream), f"{name}/{PLAYLIST}")]
    return "\n".join(["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS", *variants, ""])


def _stream_inf(stream: Stream) -> str:
    attributes = {
        "BANDWIDTH": stream.bandwidth,
        "AVERAGE-BANDWIDTH": stream.average_bandwidth,
        "CODECS": f'"{stream.codecs}"',
        "RESOLUTION": f"{stream.width}x{stream.height}",
        "FRAME-RATE": f"{float(Fraction(stream.frame_rate)):.3f}",
    }
    return "#EXT-X-STREAM-INF:" + ",".join(f"{name}={value}" for name, value in attributes.items())
