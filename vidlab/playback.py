"""Plays a video as a strict player would: fetches its playlists and every segment, and decodes them all.

Each segment is decoded by itself, because a player that changes renditions begins there. The demo, the tests and the
verdict of a run all ask here whether a video really plays.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from vidlab import hls
from vidlab.errors import VidLabError
from vidlab.ffmpeg import lines_of, started
from vidlab.hls import Segment
from vidlab.programs import ffmpeg_path
from vidlab.settings import Settings

CLOCK = 90_000  # Hz, of time stamps in MPEG-TS
LOOSE = 0.1  # of a rate: how far the declared average may be from the measured one

#: Gets what lies at a path or an address. Raises OSError, httpx.HTTPError or VidLabError when it cannot.
Fetch = Callable[[str], bytes]


@dataclass(frozen=True, kw_only=True)
class Played:
    """One rendition, as it was fetched and decoded."""

    #: The playlist's URI, as the master says.
    uri: str
    width: int
    height: int
    frame_rate: float
    codecs: str
    #: As the master says, bit/s.
    bandwidth: int
    average_bandwidth: int
    target_duration: int
    segments: tuple[Segment, ...]
    #: When each segment's picture begins, in ticks of `CLOCK`.
    starts: tuple[int, ...]
    #: Pictures in each segment.
    frames: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return sum(segment.bytes for segment in self.segments)

    @property
    def duration(self) -> float:
        """In seconds."""
        return sum(segment.duration for segment in self.segments)


@dataclass(frozen=True, kw_only=True)
class Playback:
    """What came of playing a video: all is well when there are no problems."""

    problems: tuple[str, ...]
    renditions: tuple[Played, ...]

    @property
    def well(self) -> bool:
        return not self.problems


def from_folder(folder: Path) -> Fetch:
    """Gets files below a folder."""
    return lambda path: (folder / path).read_bytes()


def from_web(client: httpx.Client) -> Fetch:
    """Gets what an address answers with."""
    return lambda address: client.get(address).raise_for_status().content


def check_playback(fetch: Fetch, master: str, settings: Settings) -> Playback:
    """Play all renditions of the master playlist at `master`, a path or an address that `fetch` understands."""
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="vidlab-playback-") as scratch:
        player = _Player(fetch, settings, Path(scratch) / "segment.ts", problems)
        renditions = tuple(player.renditions(master))
    problems.extend(_differences(renditions))
    return Playback(problems=tuple(problems), renditions=renditions)


def _differences(renditions: tuple[Played, ...]) -> Iterator[str]:
    """Where renditions differ in what must be the same in all, so that a player can change between them."""
    names: dict[str, Callable[[Played], object]] = {
        "target duration": lambda played: played.target_duration,
        "durations of the segments": lambda played: [segment.duration for segment in played.segments],
        "first times of the segments": lambda played: played.starts,
        "pictures in the segments": lambda played: played.frames,
        "frame rate": lambda played: played.frame_rate,
    }
    for name, value in names.items():
        for played in renditions[1:]:
            if value(played) != value(renditions[0]):
                yield f"{played.uri}: the {name} differ from those of {renditions[0].uri}"


@dataclass
class _Decoded:
    """What FFmpeg found in a segment."""

    size: str = ""
    times: list[int] = field(default_factory=list)
    tick: Fraction = Fraction(1, CLOCK)
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Player:
    fetch: Fetch
    settings: Settings
    scratch: Path
    problems: list[str]

    def renditions(self, master: str) -> Iterator[Played]:
        playlist = self._playlist(master)
        if playlist is None:
            return
        if not playlist.playlists:
            self.problems.append(f"{master}: it lists no renditions")
        for variant in playlist.playlists:
            if played := self._rendition(master, variant):
                yield played

    def _playlist(self, path: str) -> Any:
        """A playlist, or None and a problem."""
        if (content := self._get(path)) is None:
            return None
        try:
            return hls.parse(content.decode())
        except ValueError as error:
            self.problems.append(f"{path}: not a playlist: {error}")
            return None

    def _get(self, path: str) -> bytes | None:
        try:
            return self.fetch(path)
        except (OSError, httpx.HTTPError, VidLabError) as error:
            self.problems.append(f"{path}: cannot be fetched: {error}")
            return None

    def _rendition(self, master: str, variant: Any) -> Played | None:
        path, info = urljoin(master, variant.uri), variant.stream_info
        playlist = self._playlist(path)
        if playlist is None:
            return None
        if not playlist.is_endlist or not playlist.segments:
            self.problems.append(f"{path}: it is not finished")
        segments, decoded = [], []
        for item in playlist.segments:
            content = self._get(urljoin(path, item.uri)) or b""
            segments.append(Segment(name=item.uri, duration=item.duration, bytes=len(content)))
            decoded.append(self._decode(content))
        width, height = info.resolution
        played = Played(
            uri=variant.uri,
            width=width,
            height=height,
            frame_rate=info.frame_rate,
            codecs=info.codecs,
            bandwidth=info.bandwidth,
            average_bandwidth=info.average_bandwidth,
            target_duration=playlist.target_duration,
            segments=tuple(segments),
            starts=tuple(round(each.times[0] * each.tick * CLOCK) if each.times else -1 for each in decoded),
            frames=tuple(len(each.times) for each in decoded),
        )
        self.problems.extend(_flaws(played, decoded))
        return played

    def _decode(self, content: bytes) -> _Decoded:
        self.scratch.write_bytes(content)
        found = _Decoded()
        try:
            with started(decode_command(self.scratch, self.settings), self.settings) as child:
                for line in lines_of(child):
                    _note(line, found)
                found.complaints = tuple(child.complaints)
        except VidLabError as error:
            found.complaints = (str(error),)
        return found


def decode_command(segment: Path, settings: Settings) -> list[str]:
    """Decodes a segment's picture and sound, and writes a line for each frame: stream, times, size, checksum."""
    return [
        *(ffmpeg_path(settings), "-hide_banner", "-nostdin", "-loglevel", "warning"),
        # times as they stand in the segment
        "-copyts",
        *("-protocol_whitelist", "file", "-format_whitelist", "mpegts", "-i", str(segment)),
        *("-map", "0:v", "-map", "0:a?"),
        # no frame dropped or repeated, and no time rounded
        *("-fps_mode", "passthrough", "-enc_time_base", "demux"),
        *("-f", "framecrc", "-"),
    ]


def _note(line: str, found: _Decoded) -> None:
    name, _, value = line.partition(": ")
    if name == "#dimensions 0":
        found.size = value
    elif name == "#tb 0":
        found.tick = Fraction(value)
    elif line.startswith("0,"):
        found.times.append(int(line.split(",")[2]))


def _flaws(played: Played, decoded: list[_Decoded]) -> Iterator[str]:
    """What is wrong within one rendition."""
    for segment, found in zip(played.segments, decoded, strict=True):
        name = f"{played.uri}: {segment.name}"
        yield from (f"{name}: {line}" for line in found.complaints)
        if found.size != f"{played.width}x{played.height}":
            yield f"{name}: the picture is {found.size or 'missing'}, not {played.width}x{played.height}"
        if abs(len(found.times) / played.frame_rate - segment.duration) > 0.5 / played.frame_rate:
            yield f"{name}: {len(found.times)} pictures do not fill {segment.duration} s"
        if round(segment.duration) > played.target_duration:
            yield f"{name}: it is longer than the target duration of {played.target_duration} s"
    yield from _gaps(played)
    yield from _wrong_rates(played)


def _gaps(played: Played) -> Iterator[str]:
    expected = played.starts[0] if played.starts else 0
    for segment, start in zip(played.segments, played.starts, strict=True):
        if abs(start - expected) > CLOCK / played.frame_rate / 2:
            yield f"{played.uri}: {segment.name}: it begins at {start / CLOCK:.3f} s, not at {expected / CLOCK:.3f} s"
        expected = round(start + segment.duration * CLOCK)


def _wrong_rates(played: Played) -> Iterator[str]:
    if not played.segments:
        return
    measured = hls.peak(played.segments, played.target_duration)
    if played.bandwidth < measured:
        yield f"{played.uri}: BANDWIDTH is {played.bandwidth}, and segments of {measured} bit/s were fetched"
    average = played.bytes * 8 / played.duration
    if abs(played.average_bandwidth - average) > LOOSE * average:
        yield f"{played.uri}: AVERAGE-BANDWIDTH is {played.average_bandwidth}, and {average:.0f} bit/s were fetched"
