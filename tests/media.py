"""What tests of media share: a described video, and clips that were taken through all commands."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from vidlab.ffmpeg import lines_of, output_of, started
from vidlab.hls import Stream, master, measure
from vidlab.media import AudioTrack, Media
from vidlab.normalise import Plan, normalise_command, normalise_plan
from vidlab.playback import Playback, check_playback, from_folder
from vidlab.probe import ffprobe_command, probe
from vidlab.profiles import Size, profile_named
from vidlab.renditions import rendition_command, thumbnail_command
from vidlab.settings import Settings

SOUND = AudioTrack(index=1, codec="aac", channels=2, sample_rate=48_000, language=None)

#: As plain as a video can be: nothing has to be done to it.
PLAIN = Media(
    size=Size(1280, 720),
    coded_size=Size(1280, 720),
    duration=10.0,
    picture_start=0.0,
    picture_duration=10.0,
    frame_rate="25/1",
    variable_frame_rate=False,
    timed=True,
    codec="h264",
    pixel_format="yuv420p",
    bit_depth=8,
    rotation=0,
    mirrored=False,
    sample_aspect_ratio="1:1",
    interlaced=False,
    colour_space="bt709",
    colour_primaries="bt709",
    colour_transfer="bt709",
    picture=0,
    audio=(SOUND,),
    left_out=(),
    actual_mime_type="video/mp4",
    container="mov,mp4,m4a,3gp,3g2,mj2",
    streams=2,
)


def plain(**changes: Any) -> Media:
    """A plain video with some things different."""
    return dataclasses.replace(PLAIN, **changes)


@dataclass(frozen=True, kw_only=True)
class Made:
    """A clip that went through all commands."""

    folder: Path
    original: Media
    plan: Plan
    #: What source.mp4 is.
    media: Media
    streams: dict[str, Stream]
    playback: Playback
    #: Everything that FFmpeg complained about.
    complaints: tuple[str, ...]

    @property
    def source(self) -> Path:
        return self.folder / "source.mp4"

    @property
    def thumbnail(self) -> Path:
        return self.folder / "thumbnail.jpg"

    def segment(self, rung: str, number: int = 0) -> Path:
        return self.folder / rung / self.streams[rung].segments[number].name


def make_all(clip: Path, folder: Path, rungs: tuple[str, ...] = ("144p", "360p")) -> Made:
    """Take a clip through every command, as the pipeline does."""
    settings = Settings(state=folder)
    home = folder / clip.stem
    home.mkdir(parents=True)
    complaints: list[str] = []
    original = probe(clip, settings)
    plan = normalise_plan(original, "auto")
    complaints += complaints_of(normalise_command(clip, home / "source.mp4", original, plan, settings), settings)
    media = probe(home / "source.mp4", settings)
    for rung in rungs:
        (home / rung).mkdir()
        command = rendition_command(home / "source.mp4", home / rung, profile_named(rung), media, settings)
        complaints += complaints_of(command, settings)
    command = thumbnail_command(home / "source.mp4", home / "thumbnail.jpg", media, settings)
    complaints += complaints_of(command, settings)
    streams = {rung: measure(home / rung, settings) for rung in rungs}
    (home / "master.m3u8").write_text(master(streams))
    return Made(
        folder=home,
        original=original,
        plan=plan,
        media=media,
        streams=streams,
        playback=check_playback(from_folder(home), "master.m3u8", settings),
        complaints=tuple(complaints),
    )


@contextmanager
def made_ahead(make: Callable[[str], Made], request: pytest.FixtureRequest) -> Iterator[Callable[[str], Made]]:
    """Makes each clip once, two at a time; ahead those that the chosen tests will ask for by the parameter `name`."""
    chosen = [
        item for item in request.session.items if isinstance(item, pytest.Function) and item.module == request.module
    ]
    with_made = [item.callspec.params for item in chosen if hasattr(item, "callspec") and "made" in item.fixturenames]
    with ThreadPoolExecutor(2) as pool:
        once = cache(lambda name: pool.submit(make, name))
        for name in dict.fromkeys(params["name"] for params in with_made if "name" in params):
            once(name)
        try:
            yield lambda name: once(name).result()
        finally:
            pool.shutdown(cancel_futures=True)


def complaints_of(command: list[str], settings: Settings) -> list[str]:
    """Run a command, and give each line that it wrote to its log."""
    with started(command, settings) as child:
        for _ in lines_of(child):
            pass
        return list(child.complaints)


def probed(path: Path, *what: str) -> dict[str, Any]:
    """ffprobe's answer."""
    settings = Settings()
    told: dict[str, Any] = json.loads(output_of(ffprobe_command(path, settings, *what, "-of", "json"), settings))
    return told
