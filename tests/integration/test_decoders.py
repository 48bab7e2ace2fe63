"""The FFmpeg that can is taken: for AV1, and for high dynamic range; when none can, the record says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inputs import HDR, PATCHES, PLAYS
from tests.integration.test_media import pixels
from tests.media import make_all
from vidlab import programs
from vidlab.clips import make_clip
from vidlab.errors import NotAVideo, PartMissing
from vidlab.normalise import normalise_plan
from vidlab.probe import probe
from vidlab.programs import ffmpeg_path
from vidlab.settings import Settings

Colour = tuple[int, ...]


@pytest.fixture(scope="module", params=HDR)
def shown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[Colour, Colour]:
    """What each patch of high dynamic range looks like on a usual screen."""
    folder = tmp_path_factory.mktemp("hdr")
    made = make_all(make_clip(HDR[request.param], folder), folder / "made", rungs=("144p",))
    assert made.original.hdr == request.param
    assert f"its dynamic range is high ({request.param}): tone-mapped" in str(made.plan)
    places = [((2 * at + 1) / (2 * len(PATCHES)), 0.5) for at in range(len(PATCHES))]
    return dict(zip(PATCHES, pixels(made.segment("144p"), places), strict=True))


def test_greys_stay_grey_and_in_their_order(shown: dict[Colour, Colour]) -> None:
    greys = [shown[level, level, level] for level in (0, 64, 128, 255)]
    assert all(max(grey) - min(grey) <= 8 for grey in greys)
    assert [min(grey) for grey in greys] == sorted(min(grey) for grey in greys)
    assert max(greys[0]) <= 8


def test_brightness_is_near_that_of_the_same_picture_in_standard_range(shown: dict[Colour, Colour]) -> None:
    """Somewhat darker, because the lights above white need room."""
    for level in (64, 128):
        assert 0.65 * level <= shown[level, level, level][0] <= 1.1 * level
    assert shown[255, 255, 255][0] >= 0.55 * 255


@pytest.mark.parametrize("main", [0, 1, 2], ids=["red", "green", "blue"])
def test_colours_are_not_washed_out(shown: dict[Colour, Colour], main: int) -> None:
    """Relabelled only, the other two would be more than half as bright."""
    colour = shown[tuple(255 if place == main else 0 for place in range(3))]
    others = [level for place, level in enumerate(colour) if place != main]
    assert max(others) < 0.5 * colour[main]
    assert colour[main] > 128


def test_skin_keeps_its_hue(shown: dict[Colour, Colour]) -> None:
    red, green, blue = shown[200, 150, 120]
    assert red / green == pytest.approx(200 / 150, rel=0.12)
    assert red / blue == pytest.approx(200 / 120, rel=0.12)


def older(folder: Path) -> str:
    """An FFmpeg whose scaler knows nothing of transfer functions, as before 8.0."""
    script = folder / "ffmpeg"
    real = ffmpeg_path(Settings())
    script.write_text(f'#!/bin/sh\ncase "$*" in *filter=scale*) exit 0;; esac\nexec {real} "$@"\n')
    script.chmod(0o755)
    return str(script)


def test_an_older_ffmpeg_leaves_high_dynamic_range_to_the_other(tmp_path: Path) -> None:
    media = probe(make_clip(HDR["PQ"], tmp_path), Settings(ffmpeg=older(tmp_path)))
    assert (media.decoder, media.mappable) == ("ffmpeg_more", True)


def test_what_no_ffmpeg_can_map_is_marked_in_the_record(tmp_path: Path) -> None:
    settings = Settings(ffmpeg=older(tmp_path), ffmpeg_more=older(tmp_path))
    plan = normalise_plan(probe(make_clip(HDR["HLG"], tmp_path), settings), "auto")
    assert "its dynamic range is high (HLG): NOT tone-mapped, no ffmpeg here can" in plan.reasons


@pytest.fixture
def only_one(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without a second FFmpeg."""
    monkeypatch.setitem(
        programs.PROGRAMS, "ffmpeg_more", programs.Program(setting="ffmpeg_more", names=("no-such-ffmpeg",))
    )
    programs._find.cache_clear()
    yield
    programs._find.cache_clear()


@pytest.mark.usefixtures("only_one")
def test_what_none_can_decode_is_refused_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotAVideo, match=r"its picture cannot be decoded here \(codec av1\)"):
        probe(PLAYS["mp4_av1"].make(tmp_path), Settings())


def test_a_wrong_setting_is_told(tmp_path: Path) -> None:
    with pytest.raises(PartMissing, match="VIDLAB_FFMPEG_MORE names /nowhere"):
        probe(PLAYS["mp4_av1"].make(tmp_path), Settings(ffmpeg_more="/nowhere"))
