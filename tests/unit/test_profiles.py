"""The table of profiles, and what follows from it."""

from __future__ import annotations

import dataclasses

import pytest

from vidlab.profiles import PROFILES, Profile, Size, profile_named, queue_of, skip_reason, stages


def test_names_are_those_of_the_reference() -> None:
    rungs = ["144p", "360p", "480p", "720p", "1080p", "thumbnail"]
    names = [f"video_processing_{rung}" for rung in rungs]
    assert [stage.group for stage in stages()] == ["video_preprocessing", *names]
    assert [stage.queue for stage in stages()] == ["preprocessing", *names]
    assert {stage.topic for stage in stages()} == {"video_preprocessing", "video_processing"}
    assert [p.column for p in PROFILES] == [*(f"profile_{rung}_done" for rung in rungs[:-1]), "thumbnail_done"]


@pytest.mark.parametrize(
    ("source", "made"),
    [
        (Size(1920, 1080), ["144p", "360p", "480p", "720p", "1080p"]),
        (Size(1280, 720), ["144p", "360p", "480p", "720p"]),
        (Size(1080, 1920), ["144p", "360p", "480p", "720p", "1080p"]),
        (Size(1920, 800), ["144p", "360p", "480p", "720p", "1080p"]),  # 2.4:1 reaches the width
        (Size(16, 16), ["144p"]),
        (Size(853, 480), ["144p", "360p", "480p"]),
    ],
)
def test_a_rung_applies_when_the_source_reaches_its_height_or_its_width(source: Size, made: list[str]) -> None:
    rungs = [profile for profile in PROFILES if profile.height]
    assert [profile.name for profile in rungs if not skip_reason(profile, source)] == made


def test_the_thumbnail_always_applies() -> None:
    assert skip_reason(profile_named("thumbnail"), Size(16, 16)) is None


@pytest.mark.parametrize("source", [Size(1920, 1080), Size(1081, 1919), Size(17, 15), Size(2048, 858), Size(640, 3000)])
@pytest.mark.parametrize("profile", [profile for profile in PROFILES if profile.height], ids=lambda p: p.name)
def test_a_fitted_picture_is_even_inside_its_box_never_larger_and_keeps_its_shape(
    profile: Profile, source: Size
) -> None:
    size, box = profile.fit(source), profile.box(source)
    assert size.width % 2 == size.height % 2 == 0
    assert size.width <= min(box.width, source.width)
    assert size.height <= min(box.height, source.height)
    exact = min(box.width / source.width, box.height / source.height, 1)
    assert abs(size.width - source.width * exact) < 2
    assert abs(size.height - source.height * exact) < 2


def test_the_usual_sizes_come_out_as_everyone_knows_them() -> None:
    made = [profile.fit(Size(3840, 2160)) for profile in PROFILES if profile.height]
    assert made == [(256, 144), (640, 360), (854, 480), (1280, 720), (1920, 1080)]


def test_adding_a_profile_is_one_line() -> None:
    table = (*PROFILES, Profile(name="240p", height=240, max_kbps=400, audio_kbps=64))
    added = stages(table)[-1]
    assert dataclasses.astuple(added) == ("240p", "video_processing", "video_processing_240p", "video_processing_240p")
    assert table[-1].column == "profile_240p_done"


def test_the_master_has_a_queue_that_every_ladder_has() -> None:
    assert queue_of("master") == "preprocessing"
    assert queue_of("360p") == "video_processing_360p"
