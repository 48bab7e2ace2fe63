"""How much the pipeline adds to FFmpeg: finalize to completed, over the same commands started bare at once.

Both are measured in turn in the same run, because machines are noisy; what counts is the ratio of the medians. The
bare way re-muxes as the pipeline does, then starts one FFmpeg per profile at the same moment, on local files.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from vidlab.client import Client
from vidlab.media import Media
from vidlab.models import Span
from vidlab.normalise import normalise_command, normalise_plan
from vidlab.probe import probe
from vidlab.profiles import PROFILES, Profile, skip_reason
from vidlab.renditions import rendition_command, thumbnail_command
from vidlab.settings import Settings
from vidlab.store import Store
from vidlab.trace import Hop, hops, seconds

PATIENCE = 600.0  # seconds for one video


@dataclass(frozen=True)
class Bench:
    """The seconds of each run, and where those of the pipeline's median run went."""

    bare: list[float]
    pipeline: list[float]
    hops: list[Hop]
    #: Seconds on the longest way that are no work: from the end of one stage to the beginning of the next.
    hand_over: float

    @property
    def ratio(self) -> float:
        return median(self.pipeline) / median(self.bare)


def bench(settings: Settings, clip: Path, runs: int, on_run: Callable[[str, float], None]) -> Bench:
    """Measure `runs` times, bare and piped in turn. The lab must be up and idle."""
    bare, piped = [], []
    for _ in range(runs):
        bare.append(bare_seconds(clip, settings))
        on_run("bare", bare[-1])
        piped.append(pipeline_seconds(clip, settings))
        on_run("pipeline", piped[-1][0])
    took, video_hash = sorted(piped)[len(piped) // 2]
    with closing(Store(settings)) as store:
        spans = store.spans(video_hash)
    return Bench(bare, [each for each, _ in piped], hops(spans), took - longest_work(spans))


def longest_work(spans: Sequence[Span]) -> float:
    """Seconds of work on the way of the profile that finished last: preprocessing, that profile, the master."""
    work = [span for span in spans if span.kind == "work" and span.parent_id is None and span.stage != "upload"]
    rungs = [span for span in work if span.stage in {profile.name for profile in PROFILES}]
    last = max(rungs, key=lambda span: span.ended_at or span.started_at)
    return sum(seconds(span) for span in work if span == last or span not in rungs)


# -- through the lab


def pipeline_seconds(clip: Path, settings: Settings) -> tuple[float, str]:
    """Upload, and measure from finalize to completed as the database tells it; gives the video_hash too."""
    with tempfile.TemporaryDirectory(prefix="vidlab-bench-") as folder:
        copy = Path(folder) / clip.name  # the same file again would be the same upload
        shutil.copy(clip, copy)
        client = Client(settings.api_here, settings.api_token)
        uploaded = client.upload(copy)
    video = client.wait(uploaded["video_hash"], timeout=PATIENCE)
    if video["status"] != "completed":
        raise RuntimeError(f"the video failed: {video['error']}")
    with closing(Store(settings)) as store:
        row = store.video(video["video_hash"])
    assert row.ended_at is not None
    assert row.finalized_at is not None
    return (row.ended_at - row.finalized_at).total_seconds(), row.video_hash


# -- bare


def bare_seconds(clip: Path, settings: Settings) -> float:
    """The same commands on local files: normalise, then everything at once."""
    media = probe(clip, settings)
    plan = normalise_plan(media, settings.normalise)
    with tempfile.TemporaryDirectory(prefix="vidlab-bench-") as folder:
        source = Path(folder) / "source.mp4"
        began = time.monotonic()
        _wait([_start(normalise_command(clip, source, media, plan, settings))])
        between = time.monotonic() - began
        made = probe(source, settings)  # not counted: the commands need it, the encoder does not
        commands = [_command(profile, made, source, Path(folder), settings) for profile in _applying(made)]
        began = time.monotonic()
        _wait([_start(command) for command in commands])
        return between + time.monotonic() - began


def _applying(media: Media) -> list[Profile]:
    return [profile for profile in PROFILES if not skip_reason(profile, media.size)]


def _command(profile: Profile, media: Media, source: Path, folder: Path, settings: Settings) -> Sequence[str]:
    if not profile.height:
        return thumbnail_command(source, folder / "thumbnail.jpg", media, settings)
    target = folder / profile.name
    target.mkdir()
    return rendition_command(source, target, profile, media, settings)


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    # Each in a session of its own, as the lab's workers are: Linux shares the processors out by session.
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _wait(children: Sequence[subprocess.Popen[bytes]]) -> None:
    codes = [child.wait() for child in children]
    if any(codes):
        raise RuntimeError(f"ffmpeg ended with {codes}")
