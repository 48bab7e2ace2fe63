"""Each limit of the settings holds, and the failure names the setting to raise."""

from __future__ import annotations

import shlex
from pathlib import Path

import psutil
import pytest

from tests.inputs import PLAYS, drawn
from tests.media import complaints_of
from vidlab.clips import H264, make, make_clip, picture
from vidlab.errors import TooDemanding
from vidlab.ffmpeg import run
from vidlab.media import Media
from vidlab.normalise import normalise_command, normalise_plan
from vidlab.probe import probe
from vidlab.profiles import profile_named
from vidlab.programs import ffmpeg_path
from vidlab.renditions import rendition_command
from vidlab.settings import MIB, Settings

STILL = drawn("still", f"{picture('320x180', '1/1800', 7200)} {H264}")


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"max_duration_seconds": 2.0}, r"it lasts 3 s, and 2 s are allowed \(VIDLAB_MAX_DURATION_SECONDS\)"),
        ({"max_pixels": 320 * 180 - 1}, r"its picture has 320x180 pixels, .* \(VIDLAB_MAX_PIXELS\)"),
        ({"max_streams": 1}, r"it has 2 streams, and 1 are allowed \(VIDLAB_MAX_STREAMS\)"),
        ({"max_source_frame_rate": 23.9}, r"24 frames a second, .* \(VIDLAB_MAX_SOURCE_FRAME_RATE\)"),
        ({"ffmpeg_timeout_seconds": 0.001}, r"not done after 0\.001 s \(VIDLAB_FFMPEG_TIMEOUT_SECONDS\)"),
    ],
)
def test_a_probe_refuses_what_is_over_a_limit(clips: Path, limits: dict[str, float], why: str) -> None:
    with pytest.raises(TooDemanding, match=why):
        probe(make("tiny", clips), Settings(**limits))


def test_just_within_all_limits_is_taken(clips: Path) -> None:
    limits = {"max_duration_seconds": 3.1, "max_pixels": 320 * 180, "max_streams": 2, "max_source_frame_rate": 24.0}
    assert probe(make("tiny", clips), Settings(**limits)).size == (320, 180)


def test_more_frames_than_any_video_within_the_limits_are_not_even_counted(tmp_path: Path) -> None:
    """Their times would fill the memory; the container says nothing of them before."""
    settings = Settings(max_duration_seconds=1.0, max_source_frame_rate=20.0)
    clip = make_clip(drawn("frames", f"{picture('16x16', '25', 9)} {H264}", "mkv"), tmp_path)
    with pytest.raises(TooDemanding, match=r"it has more than 20 frames \(VIDLAB_MAX_DURATION_SECONDS\)"):
        probe(clip, settings)


def rendition_of(clip: Path, folder: Path, settings: Settings, media: Media | None = None) -> None:
    media = media or probe(clip, settings)
    run(rendition_command(clip, folder, profile_named("144p"), media, settings), settings)


def test_hours_of_a_still_end_at_the_time_limit(tmp_path: Path) -> None:
    """A few kilobytes may ask for hours of work."""
    clip = make_clip(STILL, tmp_path)
    assert clip.stat().st_size < 50_000
    media = probe(clip, Settings())
    assert media.duration == 7200
    with pytest.raises(TooDemanding, match=r"not done after 1 s \(VIDLAB_FFMPEG_TIMEOUT_SECONDS\)"):
        rendition_of(clip, tmp_path, Settings(ffmpeg_timeout_seconds=1.0), media)
    assert [child.name() for child in psutil.Process().children(recursive=True) if "ffmpeg" in child.name()] == []


@pytest.mark.parametrize("limit", [100 * MIB, 250 * MIB])
def test_memory_is_a_limit(limit: int) -> None:
    tight = Settings(ffmpeg_memory_bytes=limit)
    words = "-loglevel error -f lavfi -i testsrc2=size=3840x2160:duration=1 -c:v libx264 -f null -"
    with pytest.raises(TooDemanding, match=rf"more than {limit // MIB} MiB .* \(VIDLAB_FFMPEG_MEMORY_BYTES\)"):
        run([ffmpeg_path(tight), *shlex.split(words)], tight)


def test_a_picture_that_grows_beyond_the_limit_on_the_way_is_not_decoded(tmp_path: Path) -> None:
    """A stream may begin small, and go on with an enormous picture."""
    clip = PLAYS["grows"].make(tmp_path)
    settings = Settings(max_pixels=320 * 180)
    media = probe(clip, settings)
    plan = normalise_plan(media, "always")
    complaints = complaints_of(normalise_command(clip, tmp_path / "source.mp4", media, plan, settings), settings)
    assert "exceeds specified max pixel count" in "\n".join(complaints)
    assert probe(tmp_path / "source.mp4", settings).size == (320, 180)


def test_a_first_picture_that_is_larger_than_declared_names_the_setting(tmp_path: Path) -> None:
    clip = make_clip(drawn("large", f"{picture('640x360', '24', 1)} {H264}"), tmp_path)
    media, tight = probe(clip, Settings()), Settings(max_pixels=64 * 64)
    with pytest.raises(TooDemanding, match=r"far larger than it says \(VIDLAB_MAX_PIXELS\)"):
        rendition_of(clip, tmp_path, tight, media)
