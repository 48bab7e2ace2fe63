"""What is known of a video file: its picture, its sound, its time. Frozen, and JSON-able for the database."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pydantic import TypeAdapter

from vidlab.profiles import Size

SLOWEST = 10  # frames a second; below, key frames would lie more than 0.1 s beside their grid

MOST_SIDE = 16_384  # pixels; x264 takes no longer side

#: Transfer functions of high dynamic range, by FFmpeg's names -> by the names that people know.
HDR_TRANSFERS = {"smpte2084": "PQ", "arib-std-b67": "HLG"}

#: Primaries whose colours would look dull if they were taken for those of BT.709.
WIDE_PRIMARIES = ("bt2020", "smpte431", "smpte432")


def is_wide(transfer: str, primaries: str) -> bool:
    """Whether colours must be converted, not only relabelled, for a usual screen."""
    return transfer in HDR_TRANSFERS or primaries in WIDE_PRIMARIES


@dataclass(frozen=True, kw_only=True)
class AudioTrack:
    """One sound track that can be decoded and has sound in it."""

    #: Its place among all streams of the file.
    index: int
    codec: str
    channels: int
    sample_rate: int
    #: ISO 639-2, as the file says; None when it does not.
    language: str | None


@dataclass(frozen=True, kw_only=True)
class Media:
    """A video file, measured."""

    #: Of the picture as it is shown: upright, square pixels. It may be odd.
    size: Size
    #: Of the picture as it is stored.
    coded_size: Size
    #: Until picture and sound have ended, in seconds, measured from the packets.
    duration: float
    #: When the picture begins, in seconds; 0 unless the sound begins before it.
    picture_start: float
    #: Until the picture has ended, in seconds; shorter than `duration` when the sound goes on.
    picture_duration: float
    #: An exact fraction: 24000/1001.
    frame_rate: str
    variable_frame_rate: bool
    #: Whether each picture has a time; AVI has none for pictures that are stored out of order.
    timed: bool
    codec: str
    pixel_format: str
    bit_depth: int
    #: Clockwise, in degrees, that a player has to turn the picture.
    rotation: int
    mirrored: bool
    #: Width to height of a pixel: 1:1 is square.
    sample_aspect_ratio: str
    interlaced: bool
    #: By FFmpeg's names; "unknown" when the file does not say.
    colour_space: str
    colour_primaries: str
    colour_transfer: str
    #: The picture's place among all streams of the file.
    picture: int
    audio: tuple[AudioTrack, ...]
    #: Sound that has to be left out, each with the reason.
    left_out: tuple[str, ...]
    #: By the content, not by the name.
    actual_mime_type: str
    #: FFmpeg's name of the container.
    container: str
    #: How many there are of any kind.
    streams: int
    #: Which of the programs in `vidlab.programs` decodes it.
    decoder: str = "ffmpeg"
    #: Whether that one can map wide colours and high dynamic range to those of usual screens.
    mappable: bool = True
    #: Whether its times go back or leap ahead, as in recordings that were joined.
    jumps: bool = False

    @property
    def hdr(self) -> str | None:
        """PQ or HLG, or None for the usual dynamic range."""
        return HDR_TRANSFERS.get(self.colour_transfer)

    @property
    def wide(self) -> bool:
        """Whether the colours must be converted, not only relabelled, for a usual screen."""
        return is_wide(self.colour_transfer, self.colour_primaries)

    @property
    def upright(self) -> bool:
        return self.rotation == 0 and not self.mirrored

    @property
    def even_size(self) -> Size:
        """The shown size that H.264 in 4:2:0 can hold: each side even, never larger unless it is 1."""
        scale = min(1.0, MOST_SIDE / max(self.size))
        return Size(*(max(2, int(side * scale) // 2 * 2) for side in self.size))

    def output_rate(self, most: float) -> Fraction:
        """Frames a second of what is made from it, the same for all renditions; `most` is the highest allowed.

        Above `most` each second frame is dropped (or two of three, ...), so that motion stays even.
        """
        rate = Fraction(self.frame_rate)
        if rate > most:
            return rate / math.ceil(rate / Fraction(most))
        return rate * math.ceil(SLOWEST / rate) if rate < SLOWEST else rate

    def as_json(self) -> dict[str, Any]:
        """What `from_json` makes the same of."""
        plain: dict[str, Any] = _adapter.dump_python(self, mode="json")
        return plain

    @staticmethod
    def from_json(plain: dict[str, Any]) -> Media:
        """Raises pydantic.ValidationError."""
        return _adapter.validate_python(plain)


_adapter = TypeAdapter(Media)
