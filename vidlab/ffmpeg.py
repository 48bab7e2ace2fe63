"""The one door to FFmpeg: every ffmpeg and ffprobe is started here, within limits, and logged so that it can be pasted.

`run` is for work that is watched (its command has `-progress pipe:1`), `output_of` for what a command says, `started`
and `lines_of` for a lot of it. All end the child on any exception, and put a failure into words for people.
"""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from vidlab import child
from vidlab.child import Child, Limits, Stopping, never
from vidlab.errors import FFmpegFailed, TooDemanding
from vidlab.settings import MIB, Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a command has come."""

    #: Of the whole, 0 to 1; 0 while the duration is not known.
    fraction: float
    #: Seconds of video made per second.
    speed: float | None


def run(
    command: Sequence[str],
    settings: Settings,
    *,
    duration: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stopping: Stopping = never,
) -> None:
    """Run a command to its end and tell of its progress; `duration` is that of what it makes, in seconds.

    Raises FFmpegFailed, TooDemanding when it wants more memory or time than it may have, and what `stopping` returns;
    the child has ended by then.
    """
    meter = Meter(duration)
    with started(command, settings, stopping=stopping) as running:
        for line in lines_of(running):
            if (progress := meter.read(line)) and on_progress:
                on_progress(progress)


def output_of(command: Sequence[str], settings: Settings, *, stopping: Stopping = never) -> str:
    """All that a command writes to its standard output. Raises as `run` does."""
    with started(command, settings, stopping=stopping) as running:
        return "\n".join(lines_of(running))


@contextmanager
def started(command: Sequence[str], settings: Settings, *, stopping: Stopping = never) -> Iterator[Child]:
    """A command that runs while the block does."""
    log.info("ffmpeg", command=shlex.join(command))
    limits = Limits(memory_bytes=settings.ffmpeg_memory_bytes, seconds=settings.ffmpeg_timeout_seconds)
    with child.started(command, limits, stopping) as running:
        yield running


def lines_of(running: Child) -> Iterator[str]:
    """Each line that a command writes to its standard output. Raises as `run` does when the command fails."""
    try:
        yield from running.lines()
    except TimeoutError as error:
        why = f"ffmpeg was not done after {running.limits.seconds:g} s"
        raise TooDemanding(why=why, setting="VIDLAB_FFMPEG_TIMEOUT_SECONDS") from error
    if running.code:
        _judge(running)


def _judge(running: Child) -> None:
    if _signal_of(running):
        running.ask_why()
    if any(text in line for text in OUT_OF_MEMORY for line in running.complaints):
        limit = running.limits.memory_bytes // MIB
        raise TooDemanding(why=f"ffmpeg wants more than {limit} MiB of memory", setting="VIDLAB_FFMPEG_MEMORY_BYTES")
    if any(TOO_MANY_PIXELS in line for line in running.complaints):
        raise TooDemanding(why="its picture is far larger than it says", setting="VIDLAB_MAX_PIXELS")
    raise _failed(running, telling(running))


def _failed(running: Child, why: str) -> FFmpegFailed:
    return FFmpegFailed(code=running.code, why=why, log=list(running.complaints))


# -- What went wrong, in words --------------------------------------------------------------------------------------

CAUGHT = 255  # ffmpeg's exit code after a signal that it caught
CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)

#: FFmpeg's words and x264's; the first two are those of two C libraries.
OUT_OF_MEMORY = ("Cannot allocate memory", "Out of memory", "malloc of size", "Failed to allocate")

#: What a decoder says of a picture that is larger than `-max_pixels`.
TOO_MANY_PIXELS = "exceeds specified max pixel count"

#: What stands in the log -> what to tell a person.
WORDS = {
    "No space left on device": "the disk is full",
    "moov atom not found": "its index is missing (moov atom not found)",
    "not on whitelist": "it is in a format that is not read",
    "Invalid data found when processing input": "it is damaged, or in a format that is not known",
    "No such file or directory": "a file is missing",
}

#: Lines that only say that something else went wrong.
ECHOES = re.compile(
    r"Conversion failed|Error :|Error (opening|closing|muxing|writing|submitting|sending|while|initializing|parsing)"
    r"|Task finished|Terminating thread|Nothing was written|Could not open encoder|received no packets"
    r"|Last message repeated|Exiting"
)


def telling(running: Child) -> str:
    """Why a command failed, by what it complained about."""
    if -running.code in CRASHES:
        return f"it crashed ({signal.Signals(-running.code).name})"
    if name := _signal_of(running):
        return f"it was ended from outside ({name})"
    lines = [_bare(line, running) for line in running.complaints]
    for text, words in WORDS.items():
        if any(text in line for line in lines):
            return words
    said = [line for line in lines if not ECHOES.search(line)] or lines
    return said[-1] if said else "it did not say why"


def _signal_of(running: Child) -> str | None:
    """The signal that ended it, as far as that is known."""
    if running.code < 0:
        return signal.Signals(-running.code).name
    # ffmpeg catches SIGTERM and SIGINT, tidies up and exits with 255; but so it does for EPERM, which it names
    refused = any("Operation not permitted" in line for line in running.complaints)
    return "by a signal" if running.code == CAUGHT and not refused else None


def _bare(line: str, running: Child) -> str:
    """A log line without the part of FFmpeg that wrote it, and without the folders of the files."""
    for path in (Path(word) for word in running.command if word.startswith("/")):
        line = line.replace(str(path), path.name)
    return re.sub(r"^(\[[^\]]*\] )+", "", line)


# -- Progress -------------------------------------------------------------------------------------------------------


class Meter:
    """Reads what `-progress` writes: lines `key=value`, a block each half second, `progress=` as its last line."""

    def __init__(self, duration: float | None) -> None:
        self._duration = duration
        self._block: dict[str, str] = {}

    def read(self, line: str) -> Progress | None:
        """The progress, when the line ends a block."""
        key, _, value = line.partition("=")
        self._block[key] = value.strip()
        if key != "progress":
            return None
        block, self._block = self._block, {}
        return Progress(fraction=self._fraction(block), speed=_number(block.get("speed", "").rstrip("x")))

    def _fraction(self, block: dict[str, str]) -> float:
        if block["progress"] == "end":
            return 1.0
        done = _number(block.get("out_time_us", ""))  # "N/A" until the first packet is written
        if done is None or not self._duration:
            return 0.0
        return min(max(done / 1e6 / self._duration, 0.0), 1.0)


def _number(text: str) -> float | None:
    with suppress(ValueError):
        return float(text)
    return None
