"""Makes source.mp4: decides whether the original is only re-muxed or encoded anew, says why, and builds the command.

Encoding costs time and quality, so it is done only as far as needed: H.264, 8-bit 4:2:0, upright, square pixels. A
frame rate that varies or is high needs nothing here: the renditions are made constant anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import ffmpeg

from vidlab.containers import JOINED
from vidlab.errors import PermanentError
from vidlab.media import MOST_SIDE, AudioTrack, Media
from vidlab.settings import Settings
from vidlab.streams import (
    MOST_CHANNELS,
    SAMPLE_RATE,
    WITHOUT_METADATA,
    Stream,
    argv,
    languages,
    named_channels,
    picture,
    source,
)

MEZZANINE_CRF = 18  # close to no visible loss: renditions are made from it
AUDIO_KBPS = 192  # for a track that is not AAC
MANY_CHANNELS_KBPS = 448  # for one with more than two channels

Mode = Literal["always", "auto", "never"]

#: What MP4 can carry and FFmpeg can write into it; other codecs cannot be re-muxed.
CARRIED = ("h264", "hevc", "av1", "vp9", "mpeg4", "mpeg2video", "mpeg1video", "mjpeg", "vc1")

#: 8-bit 4:2:0, by FFmpeg's names; the second is the same in full range.
PLAIN_FORMATS = ("yuv420p", "yuvj420p")

#: Why a source cannot stay as it is -> whether that is so. The words are filled in from the media.
FLAWS: dict[str, Callable[[Media], bool]] = {
    "its codec is {m.codec}, not H.264": lambda m: m.codec != "h264",
    "its samples have {m.bit_depth} bits, not 8": lambda m: m.bit_depth != 8,
    "its pixel format is {m.pixel_format}": lambda m: m.bit_depth == 8 and m.pixel_format not in PLAIN_FORMATS,
    "its dynamic range is high ({m.hdr}): tone-mapped": lambda m: m.hdr is not None and m.mappable,
    "its colours are wide ({m.colour_primaries}): mapped": lambda m: m.wide and m.hdr is None and m.mappable,
    "its dynamic range is high ({m.hdr}): NOT tone-mapped, no ffmpeg here can": lambda m: (
        bool(m.hdr) and not m.mappable
    ),
    "its colours are wide ({m.colour_primaries}): NOT mapped, no ffmpeg here can": (
        lambda m: m.wide and not m.hdr and not m.mappable
    ),
    "it is interlaced": lambda m: m.interlaced,
    "it is turned by {m.rotation} degrees": lambda m: m.rotation != 0,
    "it is mirrored": lambda m: m.mirrored,
    "its pixels are not square ({m.sample_aspect_ratio})": lambda m: m.sample_aspect_ratio != "1:1",
    "its size is odd ({m.size.width}x{m.size.height})": lambda m: any(side % 2 for side in m.size),
    "one side is longer than H.264 can have ({m.size.width}x{m.size.height})": lambda m: max(m.size) > MOST_SIDE,
    "its frames have no times": lambda m: not m.timed,
    "its times jump": lambda m: m.jumps,
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is done to make source.mp4, and why."""

    action: Literal["remux", "encode"]
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        done = {"remux": "re-muxed", "encode": "encoded"}[self.action]
        return f"{done}: {'; '.join(self.reasons)}"


def normalise_plan(media: Media, mode: Mode) -> Plan:
    """Raises PermanentError when `mode` is never and MP4 cannot carry the picture as it is."""
    flaws = tuple(words.format(m=media) for words, found in FLAWS.items() if found(media))
    if mode == "never":
        return _as_it_is(media, flaws)
    if mode == "always":
        flaws = (*flaws, "the setting asks for it always")
    reasons = flaws or ("it is H.264, 8-bit 4:2:0, upright, with square pixels already",)
    return Plan(action="encode" if flaws else "remux", reasons=(*reasons, *media.left_out))


def _as_it_is(media: Media, flaws: tuple[str, ...]) -> Plan:
    if media.codec not in CARRIED or not media.timed:
        what = f"the codec {media.codec}" if media.timed else "frames without times"
        why = f"MP4 cannot carry {what}, and VIDLAB_NORMALISE=never forbids to encode it"
        raise PermanentError(why=why)
    kept = tuple(f"{flaw}, but the setting forbids to encode" for flaw in flaws)
    reasons = kept or ("it needs nothing",)
    return Plan(action="remux", reasons=(*reasons, *media.left_out))


def normalise_command(original: Path, target: Path, media: Media, plan: Plan, settings: Settings) -> list[str]:
    """The command that makes `target`, an MP4 with the picture and each sound track, by the plan."""
    file = source(original, settings)
    if plan.action == "remux":
        # the very bits that were sent
        return _mp4(file, file[str(media.picture)], {"c:v": "copy"}, target, media, settings)
    rate = media.output_rate(settings.max_frame_rate)
    return _mp4(file, picture(file, media, media.even_size, rate), _encoder(settings), target, media, settings)


def _encoder(settings: Settings) -> dict[str, str | int]:
    return {
        "c:v": "libx264",
        "preset": settings.x264_preset,
        # constant quality, whatever rate that takes: nobody streams this file
        "crf": MEZZANINE_CRF,
        # 8-bit 4:2:0, which every hardware decoder has
        "profile:v": "high",
        "threads": settings.ffmpeg_threads,
    }


def _mp4(
    file: Stream, video: Stream, encoder: dict[str, str | int], target: Path, media: Media, settings: Settings
) -> list[str]:
    tracks = [file[str(t.index)] if _is_copied(t, media) else named_channels(file, t) for t in media.audio]
    options = encoder | _sound(media) | languages(media.audio) | WITHOUT_METADATA
    return argv(ffmpeg.output(video, *tracks, str(target.absolute()), format="mp4", **options), media, settings)


def _is_copied(track: AudioTrack, media: Media) -> bool:
    """AAC is, unless it may be mono here and stereo there: joined containers do that, MP4 cannot say so."""
    return track.codec == "aac" and media.container not in JOINED and not media.jumps


def _sound(media: Media) -> dict[str, str | int]:
    """What is not copied becomes AAC, so that MP4 and MPEG-TS can carry it."""
    options: dict[str, str | int] = {}
    for place, track in enumerate(media.audio):
        if _is_copied(track, media):
            options[f"c:a:{place}"] = "copy"
            continue
        options[f"c:a:{place}"] = "aac"
        options[f"b:a:{place}"] = f"{AUDIO_KBPS if track.channels <= 2 else MANY_CHANNELS_KBPS}k"
        # renditions have it too, and at 8 kHz AAC cannot take that bit rate
        options[f"ar:a:{place}"] = SAMPLE_RATE
        if track.channels <= MOST_CHANNELS:
            # silence in gaps, and nothing twice: it stays with the picture
            options[f"filter:a:{place}"] = "aresample=async=1"
    return options
