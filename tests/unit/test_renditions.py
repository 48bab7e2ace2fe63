"""The commands that make a rendition and the thumbnail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.media import PLAIN, plain
from vidlab.containers import DEMUXERS
from vidlab.media import Media
from vidlab.profiles import PROFILES, Profile, Size, profile_named
from vidlab.renditions import GRID, SEGMENT, rendition_command, thumbnail_command
from vidlab.settings import Settings

RUNGS = [profile for profile in PROFILES if profile.height]

#: Demuxers that open what a file names; one in the table would let an upload read other files.
OPENERS = {"hls", "dash", "concat", "concatf", "image2", "imf", "rtsp", "sdp", "lavfi", "webm_dash_manifest", "tee"}


def value(command: list[str], flag: str) -> str:
    return command[command.index(flag) + 1]


def command_for(name: str = "360p", media: Media = PLAIN) -> list[str]:
    settings = Settings(ffmpeg_threads=3)
    return rendition_command(Path("/source.mp4"), Path("/made"), profile_named(name), media, settings)


@pytest.mark.parametrize("profile", RUNGS, ids=lambda profile: profile.name)
def test_a_cap_never_goes_without_a_buffer(profile: Profile) -> None:
    command = command_for(profile.name)
    assert value(command, "-maxrate") == f"{profile.max_kbps}k"
    assert value(command, "-bufsize") == f"{round(profile.max_kbps * 1.5)}k"
    assert value(command, "-crf")


def test_all_rungs_share_the_grid() -> None:
    flags = ("-force_key_frames", "-g", "-sc_threshold", "-hls_time", "-flags")
    assert len({tuple(value(command_for(rung.name), flag) for flag in flags) for rung in RUNGS}) == 1
    assert value(command_for(), "-force_key_frames") == f"expr:gte(t,n_forced*{GRID})"
    assert SEGMENT % GRID == 0


@pytest.mark.parametrize(("rate", "longest"), [("24000/1001", "48"), ("25/1", "50"), ("60/1", "120"), ("120/1", "120")])
def test_x264s_longest_distance_never_comes_before_the_grids(rate: str, longest: str) -> None:
    assert value(command_for(media=plain(frame_rate=rate)), "-g") == longest


def test_threads_are_those_of_the_settings_everywhere() -> None:
    command = command_for()
    assert [command[place + 1] for place, flag in enumerate(command) if flag == "-threads"] == ["3", "3"]
    assert value(command, "-filter_complex_threads") == "3"


def test_a_silent_video_has_no_word_about_sound() -> None:
    assert not {"-c:a", "-b:a", "-ac"} & set(command_for(media=plain(audio=())))


def test_only_the_file_itself_may_be_read() -> None:
    for command in (command_for(), thumbnail_command(Path("s.mp4"), Path("t.jpg"), PLAIN, Settings())):
        assert value(command, "-protocol_whitelist") == "file"
        assert not set(value(command, "-format_whitelist").split(",")) & OPENERS
    assert not set(DEMUXERS) & OPENERS


def test_a_picture_that_is_shorter_than_the_sound_is_held() -> None:
    held = " ".join(command_for(media=plain(duration=12.5)))
    assert "tpad=stop_duration=2.500000:stop_mode=clone" in held
    assert "tpad" not in " ".join(command_for(media=plain(duration=10.05)))


def test_a_picture_that_begins_between_two_frame_times_is_moved_to_the_nearer() -> None:
    assert "setpts=PTS-(0.012000)/TB" in " ".join(command_for(media=plain(picture_start=0.052)))
    assert "setpts" not in " ".join(command_for(media=plain(picture_start=0.04)))


def test_unlabelled_colours_are_guessed_by_the_size_once_for_all_renditions() -> None:
    large = plain(colour_space="unknown")
    small = plain(colour_space="unknown", coded_size=Size(640, 360))
    assert {"in_color_matrix=bt709" in " ".join(command_for(rung.name, large)) for rung in RUNGS} == {True}
    assert {"in_color_matrix=bt601" in " ".join(command_for(rung.name, small)) for rung in RUNGS} == {True}


def test_high_dynamic_range_is_mapped_not_relabelled() -> None:
    assert "intent=perceptual" in " ".join(command_for(media=plain(colour_transfer="smpte2084")))
    assert "intent" not in " ".join(command_for())
