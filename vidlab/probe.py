"""Finds out what a file is, by its content: ffprobe describes it, and each packet's time is read.

Containers are not believed about time: many have no duration, some a wrong one, and frame rates are often a guess.
"""

from __future__ import annotations

import dataclasses
import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidlab import containers
from vidlab.child import Stopping, never
from vidlab.decoders import decoder_of
from vidlab.errors import FFmpegFailed, NotAVideo, TooDemanding
from vidlab.ffmpeg import output_of
from vidlab.ffprobe import ffprobe_command
from vidlab.media import AudioTrack, Media
from vidlab.profiles import Size
from vidlab.rates import declared_rates, measured_rate
from vidlab.settings import Settings
from vidlab.times import Times, read_times

__all__ = ["Media", "ffprobe_command", "probe"]

NEARLY_SQUARE = 0.005  # of a pixel's width; scaling leaves such traces, and nobody sees them

#: What FFmpeg says of a file whose end is missing.
CUT_OFF = ("partial file", "File ended prematurely")
SHORTFALL = 0.5  # seconds; less missing than that is no reason to refuse a video


def probe(path: Path, settings: Settings, stopping: Stopping = never) -> Media:
    """Measure a file.

    Raises NotAVideo with a plain reason, TooDemanding when a limit of the settings is passed, FFmpegFailed when
    ffprobe itself came to grief, and what `stopping` returns.
    """
    _refuse_other_kinds(path)
    description = _describe(path, settings, stopping)
    streams = description.get("streams", [])
    picture = _picture(streams)
    _refuse_demanding(picture, streams, settings)
    decoder, mappable = decoder_of(path, picture, settings, stopping)
    times = read_times(path, description["format"]["format_name"], picture["index"], settings, stopping)
    _refuse_broken(picture, times, description)
    media = _media(path, description, picture, times)
    _refuse_long(media, settings)
    _refuse_fast(media, settings)
    return dataclasses.replace(media, decoder=decoder, mappable=mappable)


# -- Asking ffprobe -------------------------------------------------------------------------------------------------


#: What is asked about: a file may have gigabytes of titles, pictures and comments besides.
ENTRIES = (
    "stream=index,codec_type,codec_name,width,height,pix_fmt,sample_aspect_ratio,field_order,color_space,"
    "color_transfer,color_primaries,r_frame_rate,avg_frame_rate,sample_fmt,sample_rate,channels:stream_disposition:"
    "stream_tags=language:stream_side_data=displaymatrix,rotation:format=format_name,start_time,duration:"
    "format_tags=major_brand"
)


def _describe(path: Path, settings: Settings, stopping: Stopping) -> dict[str, Any]:
    command = ffprobe_command(path, settings, "-show_entries", ENTRIES, "-of", "json")
    try:
        described: dict[str, Any] = json.loads(output_of(command, settings, stopping=stopping))
    except FFmpegFailed as error:
        if error.facts["code"] == 1:  # ffprobe's answer to what it cannot read; anything else is not the file's fault
            raise NotAVideo(why=error.facts["why"]) from error
        raise
    return described


# -- What is refused ------------------------------------------------------------------------------------------------


def _refuse_other_kinds(path: Path) -> None:
    beginning = containers.head(path)
    if not beginning:
        raise NotAVideo(why="it is empty")
    if kind := containers.kind_of(beginning):
        raise NotAVideo(why=f"it is {kind}")


def _picture(streams: list[dict[str, Any]]) -> dict[str, Any]:
    """The stream with the moving picture: the one marked as default, else the largest. Cover art is none."""
    pictures = [stream for stream in streams if stream.get("codec_type") == "video" and not _is_still(stream)]
    if not pictures:
        sound = any(stream.get("codec_type") == "audio" for stream in streams)
        raise NotAVideo(why="it holds sound, but no moving picture" if sound else "it holds no moving picture")
    best = max(pictures, key=lambda s: (s["disposition"].get("default", 0), s.get("width", 0) * s.get("height", 0)))
    if not best.get("width") or best.get("pix_fmt", "unknown") == "unknown":
        raise NotAVideo(why=f"its picture cannot be decoded (codec {best.get('codec_name', 'unknown')})")
    return best


def _is_still(stream: dict[str, Any]) -> bool:
    marks = stream["disposition"]
    return any(marks.get(mark) for mark in ("attached_pic", "timed_thumbnails", "still_image"))


def _refuse_demanding(picture: dict[str, Any], streams: list[dict[str, Any]], settings: Settings) -> None:
    if len(streams) > settings.max_streams:
        why = f"it has {len(streams)} streams, and {settings.max_streams} are allowed"
        raise TooDemanding(why=why, setting="VIDLAB_MAX_STREAMS")
    for size in (Size(picture["width"], picture["height"]), _shown_size(picture)):
        if size.width * size.height > settings.max_pixels:
            why = f"its picture has {size.width}x{size.height} pixels, and {settings.max_pixels} in all are allowed"
            raise TooDemanding(why=why, setting="VIDLAB_MAX_PIXELS")


def _refuse_broken(picture: dict[str, Any], times: Times, description: dict[str, Any]) -> None:
    if times.of(picture).empty:
        raise NotAVideo(why="it has no frames")
    declared = float(description["format"].get("duration", 0))
    found = max(track.end for track in times.tracks.values()) - _start(description)
    incomplete = any(text in line for text in CUT_OFF for line in times.complaints)
    if incomplete and found < declared - SHORTFALL:
        raise NotAVideo(why=f"it is cut off: it ends after {found:.1f} s of {declared:.1f} s")


def _refuse_fast(media: Media, settings: Settings) -> None:
    if Fraction(media.frame_rate) > settings.max_source_frame_rate:
        rate, most = float(Fraction(media.frame_rate)), settings.max_source_frame_rate
        why = f"it has {rate:g} frames a second, and {most:g} are allowed"
        raise TooDemanding(why=why, setting="VIDLAB_MAX_SOURCE_FRAME_RATE")


def _refuse_long(media: Media, settings: Settings) -> None:
    if media.duration > settings.max_duration_seconds:
        why = f"it lasts {media.duration:.0f} s, and {settings.max_duration_seconds:.0f} s are allowed"
        raise TooDemanding(why=why, setting="VIDLAB_MAX_DURATION_SECONDS")


# -- What it is -----------------------------------------------------------------------------------------------------


def _media(path: Path, description: dict[str, Any], picture: dict[str, Any], times: Times) -> Media:
    start, shown = _start(description), times.of(picture)
    audio, left_out = _audio(description["streams"], times)
    rate, variable = measured_rate(sorted(shown.starts), declared_rates(picture))
    rotation, mirrored = _turned(picture)
    picture_end = shown.end if shown.end > max(shown.starts) else max(shown.starts) + float(1 / rate)
    ends = [picture_end, *(times.tracks[track.index].end for track in audio)]
    return Media(
        size=_shown_size(picture),
        coded_size=Size(picture["width"], picture["height"]),
        duration=round(max(ends) - start, 6),
        picture_start=round(max(0.0, min(shown.starts) - start), 6),
        picture_duration=round(picture_end - start, 6),
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        variable_frame_rate=variable,
        timed=shown.timed,
        codec=picture.get("codec_name", "unknown"),
        pixel_format=picture["pix_fmt"],
        bit_depth=_bit_depth(picture),
        rotation=rotation,
        mirrored=mirrored,
        sample_aspect_ratio=_aspect(picture),
        interlaced=picture.get("field_order", "progressive") in ("tt", "bb", "tb", "bt"),
        colour_space=picture.get("color_space", "unknown"),
        colour_primaries=picture.get("color_primaries", "unknown"),
        colour_transfer=picture.get("color_transfer", "unknown"),
        picture=picture["index"],
        audio=audio,
        left_out=left_out,
        actual_mime_type=containers.mime_type(path, description["format"]),
        container=description["format"]["format_name"],
        streams=len(description["streams"]),
        jumps=times.jumps,
    )


def _start(description: dict[str, Any]) -> float:
    """When the file's time begins; FFmpeg shifts it to 0."""
    return float(description["format"].get("start_time", 0))


def _audio(streams: list[dict[str, Any]], times: Times) -> tuple[tuple[AudioTrack, ...], tuple[str, ...]]:
    found = [stream for stream in streams if stream.get("codec_type") == "audio"]
    flaws = [_flaw_of_sound(stream, times) for stream in found]
    good = tuple(_track(stream) for stream, flaw in zip(found, flaws, strict=True) if not flaw)
    return good, tuple(f"audio track {place} {flaw}" for place, flaw in enumerate(flaws, start=1) if flaw)


def _flaw_of_sound(stream: dict[str, Any], times: Times) -> str | None:
    if stream.get("sample_fmt", "unknown") == "unknown" or not int(stream.get("sample_rate", 0)):
        return f"cannot be decoded (codec {stream.get('codec_name', 'unknown')})"
    return "is empty" if times.of(stream).empty else None


def _track(stream: dict[str, Any]) -> AudioTrack:
    language = stream.get("tags", {}).get("language", "und")
    return AudioTrack(
        index=stream["index"],
        codec=stream["codec_name"],
        channels=stream["channels"],
        sample_rate=int(stream["sample_rate"]),
        language=language if re.fullmatch("[a-z]{3}", language) and language != "und" else None,
    )


def _shown_size(picture: dict[str, Any]) -> Size:
    """Square pixels: the side that is too short grows, so that no detail is lost; then upright."""
    width, height = picture["width"], picture["height"]
    aspect = Fraction(_aspect(picture).replace(":", "/"))
    wide, high = (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))
    return Size(high, wide) if _turned(picture)[0] in (90, 270) else Size(wide, high)


def _aspect(picture: dict[str, Any]) -> str:
    across, _, down = str(picture.get("sample_aspect_ratio", "1:1")).partition(":")
    if not (across.isdigit() and down.isdigit() and int(across) and int(down)):
        return "1:1"
    return "1:1" if abs(int(across) / int(down) - 1) < NEARLY_SQUARE else f"{across}:{down}"


def _turned(picture: dict[str, Any]) -> tuple[int, bool]:
    """Degrees clockwise, and whether it is mirrored, by the display matrix."""
    for side_data in picture.get("side_data_list", []):
        if "displaymatrix" in side_data:
            rows = [line.split(":")[1].split() for line in side_data["displaymatrix"].splitlines() if ":" in line]
            (a, b, *_), (c, d, *_) = ([int(number) for number in row] for row in rows[:2])
            return -round(float(side_data.get("rotation", 0))) % 360, a * d - b * c < 0
    return 0, False


def _bit_depth(picture: dict[str, Any]) -> int:
    """Of a sample: FFmpeg's names of pixel formats end in it when it is not 8, as in yuv420p10le."""
    match = re.search(r"[a-z](\d+)(?:le|be)$", picture["pix_fmt"])
    return min(int(match[1]), 16) if match else 8
