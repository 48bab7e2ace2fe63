"""What FFmpeg's commands are made of: how they begin, how a file is read, the ways of picture and sound.

Picture and sound of every output begin at 0 and end together, whatever the file did, so that all renditions of a video
have the same frames at the same times. Each flag has its reason above it.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from vidlab.containers import ONLY_THIS_FILE
from vidlab.media import AudioTrack, Media
from vidlab.profiles import Size
from vidlab.programs import ffmpeg_path
from vidlab.settings import Settings

SAMPLE_RATE = 48_000  # Hz, for every rendition: a player need not set its decoder up anew
MOST_CHANNELS = 8  # that AAC has names for
HD_LINES = 720  # from here on an unlabelled picture is BT.709 by custom, below BT.601
ROUNDING = 0.0005  # seconds; half of what the coarsest containers round times to
OVERHANG = 0.1  # seconds that sound may be longer than the picture before the last frame is held for it

#: A part of FFmpeg's graph, as ffmpeg-python builds it; it has no types.
Stream = Any

#: Of the picture that is made, by FFmpeg's names: what every screen shows rightly.
SDR = {"range": "tv", "color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709"}


def argv(output: Stream, media: Media, settings: Settings) -> list[str]:
    """The whole command line of an output that is made of `media`."""
    beginning = [
        ffmpeg_path(settings, media.decoder),
        "-hide_banner",
        # never a question on the terminal, never a key press read from it
        "-nostdin",
        # only what is wrong, with its weight: [warning] ...
        *("-loglevel", "level+warning"),
        # no moving line for people; instead key=value lines for `vidlab.ffmpeg.run`, twice a second
        *("-nostats", "-progress", "pipe:1", "-stats_period", "0.5"),
        # an output without a single frame is a failure, not an empty file
        *("-abort_on", "empty_output+empty_output_stream"),
        # filters take no more processors than encoders do
        *("-filter_complex_threads", str(settings.ffmpeg_threads)),
    ]
    command: list[str] = ffmpeg.compile(output, cmd=beginning, overwrite_output=True)
    return command


def source(path: Path, settings: Settings, **options: str | None) -> Stream:
    """A file to read, and nothing but that file; decoded with the threads that the settings allow."""
    # a picture may be larger than the file says: what is too large for us is not decoded
    limits = {"threads": settings.ffmpeg_threads, "max_pixels": most_pixels(settings)}
    # a picture whose size changes on the way is scaled anew; all filters anew would begin the sound anew too
    steady = {"reinit_filter:v": 0}
    return ffmpeg.input(str(path.absolute()), **limits, **steady, **ONLY_THIS_FILE, **options)


def most_pixels(settings: Settings) -> int:
    """What a decoder may make; decoders round sizes up, so that exactly the limit would refuse what is within it."""
    return 2 * settings.max_pixels


def picture(file: Stream, media: Media, size: Size, rate: Fraction | None) -> Stream:
    """The picture as every player can show it: upright, progressive, square pixels, 8-bit 4:2:0, BT.709.

    With a rate: constant, from 0 on, and held until the sound has ended. FFmpeg turns it upright by itself.
    """
    stream = file[str(media.picture)]
    if media.interlaced:
        # one frame of each two fields, so that the frame rate stays
        stream = stream.filter("bwdif", mode="send_frame")
    if rate:
        stream = _constant(stream, media, rate)
    stream = stream.filter("scale", size.width, size.height, **_colours(media))
    # the size above has square pixels; the label must say so
    stream = stream.filter("setsar", 1)
    # players guess the colours of an unlabelled picture by its size, and so differently for each rendition
    stream = stream.filter("setparams", **SDR)
    return stream.filter("format", "yuv420p")


def _constant(stream: Stream, media: Media, rate: Fraction) -> Stream:
    # a picture that begins between two frame times is moved to the nearer, or rounding would drop and repeat frames
    between = media.picture_start - float(round(media.picture_start * rate) / rate)
    if abs(between) > ROUNDING:
        stream = stream.filter("setpts", f"PTS-({between:.6f})/TB")
    # frames are dropped and repeated by their times; a picture that begins late has its first frame from 0 on
    stream = stream.filter("fps", fps=f"{rate.numerator}/{rate.denominator}", start_time=0)
    held = media.duration - media.picture_duration
    if held > OVERHANG:
        # the sound goes on: players stop when one of the two ends
        stream = stream.filter("tpad", stop_mode="clone", stop_duration=f"{held:.6f}")
    return stream


def _colours(media: Media) -> dict[str, str]:
    colours = {"out_color_matrix": "bt709", "out_range": "limited"}
    if media.colour_space == "unknown":
        colours["in_color_matrix"] = "bt709" if min(media.coded_size) >= HD_LINES else "bt601"
    if media.wide and media.mappable:
        # relabelled only, HDR would look washed out; perceptual keeps detail in the lights instead of cutting it off
        intent = "perceptual" if media.hdr else "relative_colorimetric"
        colours |= {"out_primaries": "bt709", "out_transfer": "bt709", "intent": intent}
    return colours


def sound(file: Stream, track: AudioTrack, duration: float) -> Stream:
    """A sound track from 0 to the end of the picture, with silence where it has nothing."""
    # silence before a late beginning and in gaps, instead of sound that comes too early
    stream = named_channels(file, track).filter("aresample", SAMPLE_RATE, **{"async": 1, "first_pts": 0})
    # silence after an early end: players stop when one of the two ends
    return stream.filter("apad", whole_dur=f"{duration:.6f}")


def named_channels(file: Stream, track: AudioTrack) -> Stream:
    """A sound track with channels that AAC has names for; of more than that, the first two."""
    stream = file[str(track.index)]
    if track.channels <= MOST_CHANNELS:
        return stream
    return stream.filter("channelmap", map="0|1", channel_layout="stereo")


def languages(tracks: tuple[AudioTrack, ...]) -> dict[str, str]:
    """The tracks' languages, which `-map_metadata -1` takes away with everything else."""
    named = [(place, track.language) for place, track in enumerate(tracks) if track.language]
    return {f"metadata:s:a:{place}": f"language={language}" for place, language in named}


#: Titles, places and chapters of the original stay with the original: a GPS position is nobody's business.
WITHOUT_METADATA = {"map_metadata": -1, "map_chapters": -1}
