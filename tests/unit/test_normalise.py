"""What is done to make source.mp4, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.media import PLAIN, SOUND, plain
from vidlab.errors import PermanentError
from vidlab.media import AudioTrack
from vidlab.normalise import normalise_command, normalise_plan
from vidlab.profiles import Size
from vidlab.settings import Settings

OPUS = AudioTrack(index=2, codec="opus", channels=2, sample_rate=48_000, language="deu")
MANY = AudioTrack(index=3, codec="pcm_s16le", channels=16, sample_rate=48_000, language=None)


def test_what_is_right_already_is_only_remuxed_and_the_reason_is_told() -> None:
    plan = normalise_plan(PLAIN, "auto")
    assert plan.action == "remux"
    assert str(plan) == "re-muxed: it is H.264, 8-bit 4:2:0, upright, with square pixels already"


@pytest.mark.parametrize(
    "changes", [{"variable_frame_rate": True}, {"frame_rate": "120/1"}, {"pixel_format": "yuvj420p"}]
)
def test_what_renditions_put_right_anyway_is_no_reason_to_encode(changes: dict[str, Any]) -> None:
    assert normalise_plan(plain(**changes), "auto").action == "remux"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"codec": "vp9"}, "its codec is vp9, not H.264"),
        ({"bit_depth": 10, "pixel_format": "yuv420p10le"}, "its samples have 10 bits, not 8"),
        ({"pixel_format": "yuv444p"}, "its pixel format is yuv444p"),
        ({"colour_transfer": "smpte2084"}, "its dynamic range is high (PQ): tone-mapped"),
        (
            {"colour_transfer": "smpte2084", "mappable": False},
            "its dynamic range is high (PQ): NOT tone-mapped, no ffmpeg here can",
        ),
        ({"colour_primaries": "bt2020"}, "its colours are wide (bt2020): mapped"),
        (
            {"colour_primaries": "bt2020", "mappable": False},
            "its colours are wide (bt2020): NOT mapped, no ffmpeg here can",
        ),
        ({"interlaced": True}, "it is interlaced"),
        ({"rotation": 90}, "it is turned by 90 degrees"),
        ({"mirrored": True}, "it is mirrored"),
        ({"sample_aspect_ratio": "64:45"}, "its pixels are not square (64:45)"),
        ({"size": Size(321, 180)}, "its size is odd (321x180)"),
        ({"size": Size(32_000, 180)}, "one side is longer than H.264 can have (32000x180)"),
        ({"timed": False}, "its frames have no times"),
        ({"jumps": True}, "its times jump"),
    ],
)
def test_each_flaw_is_a_reason_to_encode(changes: dict[str, Any], reason: str) -> None:
    plan = normalise_plan(plain(**changes), "auto")
    assert (plan.action, plan.reasons) == ("encode", (reason,))


def test_always_encodes_and_says_that_the_setting_wants_it() -> None:
    assert normalise_plan(PLAIN, "always").reasons == ("the setting asks for it always",)


def test_never_remuxes_what_mp4_can_carry_and_fails_with_what_it_cannot() -> None:
    plan = normalise_plan(plain(codec="hevc"), "never")
    assert (plan.action, plan.reasons) == (
        "remux",
        ("its codec is hevc, not H.264, but the setting forbids to encode",),
    )
    with pytest.raises(PermanentError, match="MP4 cannot carry the codec theora, and VIDLAB_NORMALISE=never"):
        normalise_plan(plain(codec="theora"), "never")
    with pytest.raises(PermanentError, match="frames without times"):
        normalise_plan(plain(timed=False), "never")


def test_sound_that_is_left_out_is_told() -> None:
    plan = normalise_plan(plain(left_out=("audio track 2 is empty",)), "auto")
    assert plan.reasons[-1] == "audio track 2 is empty"


def test_each_sound_track_is_kept_and_only_what_is_not_aac_is_encoded() -> None:
    media = plain(audio=(SOUND, OPUS, MANY))
    command = normalise_command(Path("in.mkv"), Path("out.mp4"), media, normalise_plan(media, "auto"), Settings())
    line = " ".join(command)
    assert "-map 0:0 -map 0:1 -map 0:2 -map [s0]" in line
    assert "[0:3]channelmap=channel_layout=stereo:map=0|1[s0]" in line
    assert "-c:a:0 copy -c:a:1 aac -c:a:2 aac -c:v copy" in line
    assert "-metadata:s:a:1 language=deu" in line
