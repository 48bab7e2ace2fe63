"""When each packet of a file is shown: read from the packets themselves, and put right as FFmpeg puts them right.

Recordings that were joined begin anew in the middle. FFmpeg goes on where the first one ended; ffprobe tells the times
as they stand in the file, so the same is done here.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidlab.child import Stopping, never
from vidlab.containers import JOINED
from vidlab.errors import TooDemanding
from vidlab.ffmpeg import lines_of, started
from vidlab.ffprobe import ffprobe_command
from vidlab.settings import Settings

LEAP = 10.0  # seconds ahead that FFmpeg takes for a new beginning (its dts_delta_threshold)
BACK = 0.1  # seconds back that it takes for one

ENTRIES = "packet=stream_index,pts_time,dts_time,duration_time,flags"


@dataclass
class Track:
    """When the packets of a stream are shown, in seconds."""

    #: Of the picture alone: 8 bytes a frame.
    starts: array[float] = field(default_factory=lambda: array("d"))
    empty: bool = True
    end: float = 0.0
    timed: bool = True


@dataclass
class Times:
    """When everything in a file is shown."""

    tracks: dict[int, Track] = field(default_factory=dict)
    complaints: tuple[str, ...] = ()
    #: Whether a stream's times go back, or leap in a way that FFmpeg puts right.
    jumps: bool = False

    def of(self, stream: dict[str, Any]) -> Track:
        """Those of a stream, as ffprobe describes it."""
        return self.tracks.get(stream["index"], Track())


class Clock:
    """Follows the times at which packets are to be decoded, which never go back in a sound file."""

    def __init__(self, *, joins: bool) -> None:
        self._joins = joins
        self._last: dict[int, float] = {}
        self._next: dict[int, float] = {}
        self._offset = 0.0
        self.jumped = False

    def offset(self, stream: int, decoded: float | None, lasts: float) -> float:
        """What is to be added to the times of this packet, in seconds."""
        if decoded is None:
            return self._offset
        time = decoded + self._offset
        last = self._last.get(stream, time)
        ahead = time - self._next.get(stream, time)
        self.jumped |= time < last
        if self._joins and (abs(ahead) > LEAP or time + BACK < last):
            self._offset -= ahead
            self.jumped = True
        self._last[stream] = decoded + self._offset
        self._next[stream] = self._last[stream] + lasts
        return self._offset


def read_times(path: Path, container: str, picture: int, settings: Settings, stopping: Stopping = never) -> Times:
    """Each packet's time; it reads the file through once. `picture` is the stream whose every frame counts.

    Raises TooDemanding, and as `vidlab.ffmpeg.run` does.
    """
    times, clock = Times(), Clock(joins=container in JOINED)
    most = settings.max_duration_seconds * settings.max_source_frame_rate
    command = ffprobe_command(path, settings, "-show_entries", ENTRIES, "-of", "csv=p=0")
    with started(command, settings, stopping=stopping) as child:
        for line in lines_of(child):
            index, *packet = line.split(",")[:5]
            track = times.tracks.setdefault(int(index), Track())
            _note(track, packet, clock, int(index), is_picture=int(index) == picture)
            if len(track.starts) > most:  # their times would fill the memory
                why = f"it has more than {most:.0f} frames"
                raise TooDemanding(why=why, setting="VIDLAB_MAX_DURATION_SECONDS")
        times.complaints, times.jumps = tuple(child.complaints), clock.jumped
    return times


def _note(track: Track, packet: list[str], clock: Clock, index: int, *, is_picture: bool) -> None:
    shown, decoded, lasts, flags = packet
    if "D" in flags:  # to be decoded, but outside what is shown
        return
    track.timed &= shown != "N/A"
    duration = _seconds(lasts) or 0.0
    offset = clock.offset(index, _seconds(decoded), duration)
    known = next((time for time in (_seconds(shown), _seconds(decoded)) if time is not None), None)
    start = track.end if known is None else known + offset
    track.end = start + duration if track.empty else max(track.end, start + duration)
    track.empty = False
    if is_picture:
        track.starts.append(start)


def _seconds(text: str) -> float | None:
    return None if text == "N/A" else float(text)
