"""Builds the commands that make a rendition, an HLS stream of one size, and the thumbnail.

The rules are those of Apple's HLS authoring specification: the same frames, key frames and segments in each rendition,
so that a player can change between them at any segment. Each flag has its reason above it.
"""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from vidlab.media import Media
from vidlab.profiles import Profile, Size
from vidlab.settings import Settings
from vidlab.streams import SAMPLE_RATE, WITHOUT_METADATA, argv, languages, picture, sound, source

GRID = 2  # seconds between key frames
SEGMENT = 6  # seconds; a whole number of grid steps
CRF = 23  # x264's own default: quality that is asked for as long as the cap allows
BUFFER = 1.5  # seconds that the cap may be exceeded for, at most a quarter over a segment
PLAYLIST = "playlist.m3u8"
THUMBNAIL = Size(640, 360)  # the box; turned upright for an upright picture
THUMBNAIL_AT = 0.3  # of the duration: past titles and fades
THUMBNAIL_FRAMES = 50  # of which the one most like all others is taken, so rarely a black one


def rendition_command(path: Path, folder: Path, profile: Profile, media: Media, settings: Settings) -> list[str]:
    """The command that makes `playlist.m3u8` and its segments in `folder` from source.mp4, described by `media`."""
    file = source(path, settings)
    rate = media.output_rate(settings.max_frame_rate)
    video = picture(file, media, profile.fit(media.size), rate)
    tracks = [sound(file, track, media.duration) for track in media.audio]
    heard = _audio(profile) | languages(media.audio) if tracks else {}
    options = _video(profile, rate, settings) | heard | WITHOUT_METADATA
    return argv(
        ffmpeg.output(video, *tracks, str(folder.absolute() / PLAYLIST), **options, **_hls(folder)), media, settings
    )


def _video(profile: Profile, rate: Fraction, settings: Settings) -> dict[str, Any]:
    return {
        "c:v": "libx264",
        "preset": settings.x264_preset,
        # the one profile that all of today's players decode in hardware; x264 finds the level by size and rate
        "profile:v": "high",
        # capped constant quality: still scenes take less, none takes more than the cap,
        "crf": CRF,
        "maxrate": f"{profile.max_kbps}k",
        # and without a buffer size x264 would ignore the cap
        "bufsize": f"{round(profile.max_kbps * BUFFER)}k",
        # key frames on one grid in time, so that every rendition can be cut at the same frames
        "force_key_frames": f"expr:gte(t,n_forced*{GRID})",
        # none besides: a scene cut would put one into some renditions only,
        "sc_threshold": 0,
        # and x264's own longest distance must not come before the grid's
        "g": math.ceil(GRID * rate),
        # no picture refers past a key frame: a segment is decodable by itself
        "flags": "+cgop",
        "threads": settings.ffmpeg_threads,
    }


def _audio(profile: Profile) -> dict[str, Any]:
    return {
        "c:a": "aac",
        "b:a": f"{profile.audio_kbps}k",
        # two channels: surround does not pass through browsers
        "ac": 2,
        "ar": SAMPLE_RATE,
        # however late the first picture comes, no packet is written before it; both end together, so none piles up
        "max_interleave_delta": 0,
    }


def _hls(folder: Path) -> dict[str, Any]:
    return {
        "format": "hls",
        # cut at the first key frame after each so many seconds
        "hls_time": SEGMENT,
        # all segments are listed, and the end is marked
        "hls_playlist_type": "vod",
        "hls_segment_type": "mpegts",
        # says what +cgop did
        "hls_flags": "independent_segments",
        "hls_segment_filename": str(folder.absolute() / "segment_%03d.ts"),
    }


def thumbnail_command(path: Path, target: Path, media: Media, settings: Settings) -> list[str]:
    """The command that makes a JPEG of a frame that looks like the video."""
    # from the key frame before that place, so that there is a frame however few there are
    file = source(path, settings, ss=f"{media.picture_duration * THUMBNAIL_AT:.3f}", noaccurate_seek=None)
    size = _thumbnail_size(media.size)
    frame = picture(file, media, size, None).filter("thumbnail", n=THUMBNAIL_FRAMES)
    # a frame from before that place has a time below 0, and FFmpeg would drop it
    frame = frame.filter("setpts", 0)
    # JPEG has the full range by definition
    frame = frame.filter("scale", out_range="full", out_color_matrix="bt601").filter("format", "yuv420p")
    options = {
        "frames:v": 1,
        "c:v": "mjpeg",
        # 2 is the best, 31 the worst
        "q:v": 3,
        "format": "image2",
        # the name is one file's, not a pattern for a sequence
        "update": 1,
    }
    return argv(ffmpeg.output(frame, str(target.absolute()), **options), media, settings)


def _thumbnail_size(source: Size) -> Size:
    return Profile(name="thumbnail", height=THUMBNAIL.height).fit(source)
