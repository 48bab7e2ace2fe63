"""What people and strangers send besides ordinary videos, and the end that each must come to.

All of it is made here, by FFmpeg or byte by byte. `PLAYS` must end completed and play, with the colours, the size and
the time that it had; `REFUSED` must end failed, with these words in the reason.
"""

from __future__ import annotations

import io
import math
import random
import shlex
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vidlab import clips
from vidlab.clips import AAC, H264, VP9, Clip, picture, tone

Place = tuple[float, float]
Turn = Callable[[float, float], Place]

HEVC = "-c:v libx265 -preset ultrafast -x265-params log-level=error -pix_fmt yuv420p"
X264 = "-c:v libx264 -preset veryfast"
FLAC = "-c:a flac"
SECONDS = 2.0  # of most inputs
P, T = picture(seconds=SECONDS), tone(SECONDS)
PAL = picture("352x288", "25", SECONDS)
SVT = "-c:v libsvtav1 -preset 12 -pix_fmt yuv420p"
WIDE = "scale=out_primaries=bt2020:out_color_matrix=bt2020nc"


def as_it_is(x: float, y: float) -> Place:
    return x, y


@dataclass(frozen=True, kw_only=True)
class Input:
    """A file that is sent, and what must become of it."""

    clip: Clip
    #: Inputs whose bytes are appended.
    joined: tuple[Clip, ...] = ()
    #: Fields of `Media` -> what the probe must find.
    found: Mapping[str, object] = field(default_factory=dict)
    #: Words that must stand in the record of how it was normalised.
    normalised: str = ""
    #: Of the lowest rendition.
    size: tuple[int, int] = (256, 144)
    seconds: float = SECONDS
    #: Channels of each sound track of source.mp4; None when they do not matter.
    channels: tuple[int, ...] | None = None
    #: Where a place of the drawn picture must be found; None when it is not that picture.
    turn: Turn | None = as_it_is

    @property
    def name(self) -> str:
        return self.clip.name

    def make(self, folder: Path) -> Path:
        path = clips.make_clip(self.clip, folder)
        for other in self.joined:
            content = clips.make_clip(other, folder).read_bytes()
            with path.open("ab") as file:
                file.write(content)
        return path


def drawn(name: str, arguments: str, extension: str = "mp4", **options: object) -> Clip:
    return Clip(name=name, what=name, arguments=arguments, extension=extension, **options)  # type: ignore[arg-type]


def written(name: str, content: bytes, extension: str = "mp4") -> Clip:
    return Clip(name=name, what=name, after=lambda _: content, extension=extension)


# -- bytes that are put right into files -----------------------------------------------------------------------------


def matrix(a: int, b: int, c: int, d: int) -> Callable[[bytes], bytes]:
    """The first track's display matrix: where a point across and a point down go."""

    def change(content: bytes) -> bytes:
        place = content.index(b"tkhd") + 44
        cells = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
        return content[:place] + struct.pack(">9i", *cells) + content[place + 36 :]

    return change


def number_in_box(box: bytes, offset: int, value: int, size: int = 4) -> Callable[[bytes], bytes]:
    """A number in every box of that name, so many bytes after the name."""

    def change(content: bytes) -> bytes:
        place = content.find(box)
        while place >= 0:
            start = place + offset
            content = content[:start] + value.to_bytes(size, "big") + content[start + size :]
            place = content.find(box, start)
        return content

    return change


def all_of(*changes: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        for one in changes:
            content = one(content)
        return content

    return change


def lasting(ticks: int) -> Callable[[bytes], bytes]:
    """The durations that an MP4 declares: of the movie, its tracks and their media."""
    return all_of(*(number_in_box(box, at, ticks) for box, at in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20))))


def called(width: int, height: int) -> Callable[[bytes], bytes]:
    """The size that an MP4's sample description declares."""
    return all_of(number_in_box(b"avc1\0\0\0\0\0\0", 28, width, 2), number_in_box(b"avc1\0\0\0\0\0\0", 30, height, 2))


def cut(share: float) -> Callable[[bytes], bytes]:
    return lambda content: content[: int(len(content) * share)]


def pitted(content: bytes) -> bytes:
    """With wrong bytes here and there in the picture and the sound."""
    dice, changed = random.Random(5), bytearray(content)
    begin, end = content.index(b"mdat") + 2000, content.rindex(b"moov") - 8
    for _ in range(60):
        changed[dice.randrange(begin, end)] = dice.randrange(256)
    return bytes(changed)


def zipped(content: bytes, name: str = "clip.mp4") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def box(name: bytes, declared: int, content: bytes = b"") -> bytes:
    """A box of an MP4 with a size of 64 bits."""
    return b"\0\0\0\1" + name + declared.to_bytes(8, "big") + content


# -- what must play --------------------------------------------------------------------------------------------------

HD = drawn("hd_later", f"{picture('1280x720', seconds=2)} {T} {H264} {AAC} -output_ts_offset 2", "ts")
HD_AFTER_A_GAP = drawn(
    "hd_after_a_gap", f"{picture('1280x720', seconds=2)} {T} {H264} {AAC} -output_ts_offset 2.2", "ts"
)
STEREO = drawn("stereo_later", f"{P} {T} {H264} {AAC} -ac 2 -ar 44100 -output_ts_offset 2.2", "ts")
TS = f"{P} {T} {H264} {AAC}"


def _pan(layout: str, channels: int) -> str:
    return f"-af 'pan={layout}|" + "|".join(f"c{number}=c0" for number in range(channels)) + "'"


CONTAINERS = (
    Input(clip=drawn("mkv_hevc", f"{P} {T} {HEVC} -c:a libopus", "mkv"), found={"codec": "hevc"}),
    Input(clip=drawn("mp4_hevc", f"{P} {T} {HEVC} -tag:v hvc1 {AAC}"), found={"codec": "hevc"}),
    Input(clip=drawn("ts_hevc", f"{P} {T} {HEVC} {AAC}", "ts"), found={"actual_mime_type": "video/mp2t"}),
    Input(clip=drawn("mp4_av1", f"{P} {T} {SVT} {AAC}"), found={"codec": "av1", "decoder": "ffmpeg_more"}),
    Input(clip=drawn("webm_av1", f"{P} {T} {SVT} -c:a libopus", "webm"), found={"actual_mime_type": "video/webm"}),
    Input(clip=drawn("mp4_vp9", f"{P} {T} {VP9} -c:a libopus"), found={"codec": "vp9"}),
    Input(clip=drawn("webm_vp8", f"{P} {T} -c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus", "webm")),
    Input(
        clip=drawn("webm_alpha", f"{P} -vf format=yuva420p {VP9} -auto-alt-ref 0 -pix_fmt yuva420p", "webm"),
    ),
    Input(clip=drawn("ts_mpeg2", f"{PAL} {T} -c:v mpeg2video -b:v 3M -c:a mp2", "ts"), size=(176, 144)),
    Input(clip=drawn("mkv_mpeg2", f"{PAL} {T} -c:v mpeg2video -b:v 3M -c:a ac3", "mkv"), size=(176, 144)),
    Input(
        clip=drawn("dvd", f"{PAL} {T} -c:v mpeg2video -b:v 3M -c:a mp2 -f dvd", "mpg"),
        size=(176, 144),
        found={"actual_mime_type": "video/mpeg"},
    ),
    Input(clip=drawn("avi_mjpeg", f"{P} {T} -c:v mjpeg -q:v 2 -c:a pcm_s16le", "avi")),
    Input(clip=drawn("flv", f"{P} {T} -c:v flv -q:v 2 -c:a libmp3lame -ar 44100", "flv")),
    Input(clip=drawn("wmv", f"{P} {T} -c:v wmv2 -q:v 2 -c:a wmav2", "wmv"), found={"container": "asf"}),
    Input(
        clip=drawn("ogv", f"{P} {T} -c:v libtheora -q:v 9 -c:a libvorbis", "ogv", program="ffmpeg_more"),
        found={"codec": "theora"},
    ),
    Input(clip=drawn("mov_prores", f"{P} {T} -c:v prores_ks -profile:v 3 -c:a pcm_s24le", "mov"), channels=(1,)),
    Input(
        clip=drawn("mov_4444", f"{P} -c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le", "mov"),
        found={"bit_depth": 12},
    ),
    Input(
        clip=drawn("mxf_dnxhr", f"{P} {T} -c:v dnxhd -profile:v dnxhr_hq -pix_fmt yuv422p -c:a pcm_s16le", "mxf"),
        found={"actual_mime_type": "application/mxf"},
    ),
    Input(clip=drawn("mkv_ffv1", f"{P} {T} -c:v ffv1 -pix_fmt yuv420p {FLAC}", "mkv")),
    Input(clip=drawn("fragments", f"{P} {T} {H264} {AAC} -g 24 -movflags frag_keyframe+empty_moov+default_base_moof")),
    Input(clip=drawn("mp4_and_zip", f"{P} {H264}", after=lambda content: content + zipped(b"x" * 99, "a.txt"))),
)

TURNED = (
    Input(
        clip=drawn("turned_90", f"{P} {H264}", after=matrix(0, 1, -1, 0)),
        found={"rotation": 90},
        size=(144, 256),
        turn=lambda x, y: (1 - y, x),
    ),
    Input(
        clip=drawn("turned_180", f"{P} {H264}", after=matrix(-1, 0, 0, -1)),
        found={"rotation": 180},
        turn=lambda x, y: (1 - x, 1 - y),
    ),
    Input(
        clip=drawn("turned_270", f"{P} {H264}", after=matrix(0, -1, 1, 0)),
        found={"rotation": 270},
        size=(144, 256),
        turn=lambda x, y: (y, 1 - x),
    ),
    Input(
        clip=drawn("mirrored_across", f"{P} {H264}", after=matrix(-1, 0, 0, 1)),
        found={"mirrored": True},
        turn=lambda x, y: (1 - x, y),
    ),
    Input(
        clip=drawn("mirrored_down", f"{P} {H264}", after=matrix(1, 0, 0, -1)),
        found={"mirrored": True},
        turn=lambda x, y: (x, 1 - y),
    ),
    Input(
        clip=drawn("transposed", f"{P} {H264}", after=matrix(0, 1, 1, 0)),
        found={"mirrored": True},
        size=(144, 256),
        turn=lambda x, y: (y, x),
    ),
    Input(clip=drawn("matrix_of_zeros", f"{P} {H264}", after=matrix(0, 0, 0, 0)), normalised="re-muxed"),
    Input(
        clip=drawn("turned_and_anamorphic", f"{PAL} -vf setsar=64/45 {H264}", after=matrix(0, 1, -1, 0)),
        normalised="pixels are not square",
        size=(144, 250),
        turn=lambda x, y: (1 - y, x),
    ),
)

SAMPLES = (
    Input(clip=drawn("yuv422", f"{P} {X264} -pix_fmt yuv422p")),
    Input(clip=drawn("yuv422_10", f"{P} {X264} -pix_fmt yuv422p10le"), found={"bit_depth": 10}),
    Input(clip=drawn("yuv444", f"{P} {X264} -pix_fmt yuv444p")),
    Input(clip=drawn("rgb", f"{P} -c:v libx264rgb -preset veryfast -pix_fmt rgb24")),
    Input(clip=drawn("grey", f"{P} {X264} -pix_fmt gray"), turn=None),
    Input(clip=drawn("full_range", f"{P} -vf scale=out_range=full {X264} -pix_fmt yuvj420p"), normalised="re-muxed"),
    Input(
        clip=drawn("wide_colours", f"{P} -vf {WIDE} {H264}"),
        found={"colour_primaries": "bt2020"},
        normalised="its colours are wide (bt2020): mapped",
    ),
)

SIZES = (
    Input(clip=drawn("one_pixel", f"{P} -vf scale=1:1 -c:v ffv1 -pix_fmt yuv444p", "mkv"), size=(2, 2), turn=None),
    Input(clip=drawn("strip", f"{picture('3840x16', seconds=2)} {H264}"), size=(256, 2), turn=None),
    Input(
        clip=drawn("absurd_pixels", f"{P} -vf setsar=100/1 {H264}", "mkv"),
        normalised="longer than H.264 can have",
        size=(256, 2),
        turn=None,
    ),
    Input(clip=drawn("mute_lie", f"{P} {H264}", after=called(2, 2)), found={"size": (320, 180)}),
    Input(clip=drawn("grows", TS, "ts"), joined=(HD,), seconds=3.96),
    Input(clip=drawn("grows_after_a_gap", TS, "ts"), joined=(HD_AFTER_A_GAP,), normalised="re-muxed", seconds=4.17),
)

TIMES = (
    Input(clip=drawn("no_duration", f"{P} {T} {H264} {AAC}", after=lasting(0))),
    Input(clip=drawn("wrong_duration", f"{P} {T} {H264} {AAC}", after=lasting(0x7FFFFF00))),
    Input(clip=drawn("near_the_wrap", f"{TS} -output_ts_offset 95440", "ts")),
    Input(
        clip=drawn("joined", TS, "ts", after=lambda content: content + content),
        found={"jumps": True},
        normalised="its times jump",
        seconds=4.04,
    ),
    Input(
        clip=drawn("leaps", TS, "ts"),
        joined=(drawn("hours_later", f"{TS} -output_ts_offset 40000", "ts"),),
        found={"jumps": True},
        seconds=4.04,
    ),
    Input(clip=drawn("other_sound_later", TS, "ts"), joined=(STEREO,), seconds=4.14),
    Input(
        clip=drawn(
            "before_zero",
            f"-itsoffset -1.5 {picture(seconds=3)} -itsoffset -1.5 {tone(3)} {H264} {AAC} "
            "-avoid_negative_ts disabled -copyts",
            "mkv",
        ),
        seconds=3.06,
        turn=None,  # its sound is there first
    ),
    Input(clip=drawn("edit_list", f"{picture(seconds=3)} {tone(3)} {H264} {AAC} -ss 0.7"), seconds=2.3),
    Input(clip=drawn("two_frames", f"{P} {H264} -frames:v 2"), seconds=1 / 12),
    Input(
        clip=drawn("three_frames", f"{P} {H264} -fps_mode vfr -vf 'select=eq(n\\,0)+eq(n\\,1)+eq(n\\,40)'", "mkv"),
        seconds=1.7,
    ),
    Input(
        clip=drawn("still_with_sound", f"{P} {tone(3)} {H264} {AAC} -vf trim=end_frame=1"),
        seconds=3,
        channels=(1,),
    ),
    Input(clip=drawn("thousand", f"{picture('320x180', '1000', 1)} {H264}", "mkv"), seconds=1),
    Input(clip=drawn("pitted", f"{P} {T} {H264} {AAC}", after=pitted), turn=None),
    Input(clip=drawn("cut_stream", TS, "ts", after=cut(0.7)), seconds=1.6),
)

SOUND = (
    Input(clip=drawn("eight_channels", f"{P} {T} {H264} {AAC} {_pan('7.1', 8)}"), channels=(8,)),
    Input(clip=drawn("eight_in_flac", f"{P} {T} {H264} {FLAC} {_pan('7.1', 8)}", "mkv"), channels=(8,)),
    Input(clip=drawn("six_in_ac3", f"{P} {T} {H264} -c:a ac3 {_pan('5.1', 6)}", "ts"), channels=(6,)),
    Input(clip=drawn("three_channels", f"{P} {T} {H264} {FLAC} {_pan('3.0', 3)}", "mkv"), channels=(3,)),
    Input(clip=drawn("telephone", f"{P} {T} {H264} {AAC} -ar 8000 -ac 1"), channels=(1,)),
    Input(clip=drawn("odd_rate", f"{P} {T} {H264} -c:a pcm_s16le -ar 7777", "mkv"), channels=(1,)),
    Input(clip=drawn("high_rate", f"{P} {T} {H264} -c:a pcm_s24le -ar 384000", "mkv"), channels=(1,)),
    Input(clip=drawn("dts", f"{P} {T} {H264} -strict -2 -c:a dca -ac 2", "mkv"), channels=(2,)),
    Input(
        clip=drawn("many_tracks", f"{P} {T} -map 0 {'-map 1 ' * 7} {H264} {AAC} -ar 22050", "mkv"), channels=(1,) * 7
    ),
)

STREAMS = (
    Input(
        clip=drawn(
            "cover",
            f"{P} {T} {picture('600x600', seconds=1)} -map 0 -map 1 -map 2 -c:v:0 libx264 -preset veryfast "
            f"-pix_fmt yuv420p -c:v:1 mjpeg -filter:v:1 trim=end_frame=1 {AAC} -disposition:v:1 attached_pic",
        ),
        found={"codec": "h264"},
    ),
    Input(clip=drawn("time_code", f"{P} {T} {H264} {AAC} -timecode 01:00:00:00", "mov"), found={"streams": 3}),
    Input(
        clip=drawn("two_pictures", f"{P} {picture('64x64', seconds=2)} -map 0 -map 1 {H264}"),
        found={"size": (320, 180)},
    ),
    Input(
        clip=drawn(
            "loud_title", f"{P} {H264} -metadata title='\x01\x1b[31m\u202ered' -metadata comment={'x' * 99_999}"
        ),
    ),
)

#: Those that take long: the largest picture that is allowed, lying and upright; the second is encoded anew.
LARGE = {
    one.name: one
    for one in (
        Input(
            clip=drawn("eight_k", f"{picture('7680x4320', '24', 1)} -c:v libx264 -preset ultrafast -pix_fmt yuv420p")
        ),
        Input(clip=drawn("eight_k_upright", f"{picture('4320x7680', '24', 1)} -c:v mpeg4 -q:v 5", "mkv")),
    )
}

PLAYS = {one.name: one for one in (*CONTAINERS, *TURNED, *SAMPLES, *SIZES, *TIMES, *SOUND, *STREAMS)}


# -- high dynamic range ----------------------------------------------------------------------------------------------

#: Colours of usual screens, side by side in `patches`.
PATCHES = (
    *((255, 255, 255), (128, 128, 128), (64, 64, 64), (0, 0, 0)),
    *((255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 150, 120)),
)
WHITE = 203.0  # cd/m2 of a sheet of paper in high dynamic range (ITU-R BT.2408)
PEAK = 1000.0  # cd/m2 of the screen that HLG is described for (ITU-R BT.2100)
TO_BT2020 = ((0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956))  # ITU-R BT.2087
LUMA = (0.2627, 0.6780, 0.0593)  # of BT.2020


def pq(lights: list[float]) -> list[float]:
    """The signal of light in cd/m2 (ITU-R BT.2100, table 4)."""
    roots = [(light / 10_000) ** 0.1593017578125 for light in lights]
    return [((0.8359375 + 18.8515625 * root) / (1 + 18.6875 * root)) ** 78.84375 for root in roots]


def hlg(lights: list[float]) -> list[float]:
    """The signal of light in cd/m2 on a screen of 1000 cd/m2 (ITU-R BT.2100, table 5)."""
    bright = sum(share * light for share, light in zip(LUMA, lights, strict=True)) / PEAK
    scene = [light / PEAK * bright ** (-0.2 / 1.2) if bright else 0.0 for light in lights]
    low = [math.sqrt(3 * light) for light in scene]
    high = [0.17883277 * math.log(max(12 * light - 0.28466892, 1e-9)) + 0.55991073 for light in scene]
    return [low[at] if light <= 1 / 12 else high[at] for at, light in enumerate(scene)]


def patches(name: str, transfer: str, signal: Callable[[list[float]], list[float]]) -> Clip:
    """The colours of `PATCHES`, as a camera of high dynamic range would write them."""
    codes = [_codes(colour, signal) for colour in PATCHES]
    planes = zip(("lum", "cb", "cr"), (64, 32, 32), zip(*codes, strict=True), strict=True)
    drawn_by = ":".join(
        f"{plane}='" + "+".join(f"eq(floor(X/{wide}),{at})*{code}" for at, code in enumerate(values)) + "'"
        for plane, wide, values in planes
    )
    labels = f"setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc:range=tv"
    graph = f"nullsrc=size=512x64:rate=10:duration=1,format=yuv420p10le,geq={drawn_by},{labels}"
    return drawn(name, f"-f lavfi -i {shlex.quote(graph)} {X264} -qp 2")


def _codes(colour: tuple[int, int, int], signal: Callable[[list[float]], list[float]]) -> tuple[int, int, int]:
    """A colour's brightness and two differences, in 10 bits of limited range."""
    light = [WHITE * (level / 255) ** 2.4 for level in colour]
    wide = [sum(share * one for share, one in zip(row, light, strict=True)) for row in TO_BT2020]
    red, green, blue = signal(wide)
    luma = sum(share * one for share, one in zip(LUMA, (red, green, blue), strict=True))
    return round(64 + 876 * luma), round(512 + 896 * (blue - luma) / 1.8814), round(512 + 896 * (red - luma) / 1.4746)


HDR = {"PQ": patches("patches_pq", "smpte2084", pq), "HLG": patches("patches_hlg", "arib-std-b67", hlg)}


# -- what must be refused --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A file that must not be taken, and words of the reason."""

    clip: Clip
    words: str

    @property
    def name(self) -> str:
        return self.clip.name


PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s2I5B", 13, b"IHDR", 1, 1, 8, 2, 0, 0, 0) + bytes(64)
NOISE = random.Random(7).randbytes(100_000)
SMALL = picture("64x64", seconds=1)
ENORMOUS = "color=c=black:size=12000x6000:rate=1:duration=1"
BLACK = f"-f lavfi -i {ENORMOUS} -c:v libx264 -preset ultrafast -threads 1 -pix_fmt yuv420p"

_REFUSALS = (
    Refusal(clip=written("zeros", bytes(10_000)), words="The file is not a video"),
    Refusal(clip=written("noise", b"\x80" + NOISE), words="The file is not a video"),
    Refusal(clip=written("html", b"<!DOCTYPE html><title>video</title><video src='http://127.0.0.1'>"), words="text"),
    Refusal(clip=written("utf16", "Not a video.\n".encode("utf-16") * 20), words="it is text"),
    Refusal(clip=written("png", PNG), words="it is a picture (PNG)"),
    Refusal(clip=written("svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 9), words="it is text"),
    Refusal(clip=written("pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(999)), words="it is a PDF"),
    Refusal(clip=written("zip", zipped(b"x" * 999, "a.txt")), words="it is a zip archive"),
    Refusal(clip=drawn("mp4_in_zip", f"{SMALL} {H264}", after=zipped), words="it is a zip archive"),
    Refusal(clip=drawn("gif", SMALL, "gif"), words="it is a picture (GIF)"),
    Refusal(clip=drawn("apng", f"{SMALL} -f apng", "png", program="ffmpeg_more"), words="it is a picture (PNG)"),
    Refusal(clip=drawn("webp", f"{SMALL} -c:v libwebp_anim", "webp", program="ffmpeg_more"), words="(WebP)"),
    Refusal(clip=drawn("avif", f"{SMALL} {SVT} -frames:v 1", "avif"), words="it is a picture (AVIF)"),
    Refusal(clip=drawn("wav", tone(1), "wav"), words="it is sound (WAV)"),
    Refusal(clip=drawn("h264", f"{SMALL} {H264}", "h264"), words="in a format that is not read"),
    Refusal(clip=drawn("y4m", f"{SMALL} -pix_fmt yuv420p", "y4m"), words="in a format that is not read"),
    Refusal(
        clip=drawn(
            "song_with_cover",
            f"{T} {picture('600x600', seconds=1)} -map 0 -map 1 -c:v mjpeg -frames:v 1 {AAC} "
            "-disposition:v attached_pic",
            "m4a",
        ),
        words="sound, but no moving picture",
    ),
    Refusal(clip=drawn("no_index", f"{P} {H264}", after=lambda c: c[: c.index(b"moov") - 4]), words="index is missing"),
    Refusal(
        clip=drawn("in_the_middle", f"{P} {T} {H264} {AAC} -movflags +faststart", after=cut(0.4)), words="it is cut off"
    ),
    Refusal(clip=written("huge_box", box(b"ftyp", 2**62, b"isom" * 9)), words="The file is not a video"),
    Refusal(
        clip=drawn("huge_table", f"{P} {H264}", after=number_in_box(b"stsz", 12, 0xFFFFFFF0)),
        words="The file is not a video",
    ),
    Refusal(clip=drawn("png_movie", f"{SMALL} -c:v png", "mov", program="ffmpeg_more"), words="codec png"),
    Refusal(clip=drawn("too_large", BLACK), words="VIDLAB_MAX_PIXELS"),
    Refusal(clip=drawn("too_large_in_secret", BLACK, after=called(320, 180)), words="VIDLAB_MAX_PIXELS"),
    Refusal(
        clip=drawn("too_long", f"{picture('64x64', '1/3600', 18_000)} {H264}"), words="VIDLAB_MAX_DURATION_SECONDS"
    ),
    Refusal(
        clip=drawn("too_many_streams", f"{SMALL} {tone(1)} -map 0 {'-map 1 ' * 32} {H264} {FLAC}", "mkv"),
        words="VIDLAB_MAX_STREAMS",
    ),
    Refusal(
        clip=drawn("too_fast", f"{picture('64x64', '5000', 1)} {H264} -video_track_timescale 90000"),
        words="VIDLAB_MAX_SOURCE_FRAME_RATE",
    ),
)

REFUSED = {one.name: one for one in _REFUSALS}
