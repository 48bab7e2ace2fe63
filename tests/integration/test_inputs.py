"""Each input of the table comes to its end through the real stages: probe, normalise, rendition, thumbnail, master."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.inputs import LARGE, PLAYS, REFUSED
from tests.integration.test_media import STRIPES, is_near, pixels
from tests.media import Made, made_ahead, make_all, probed
from vidlab.clips import make_clip
from vidlab.errors import NotAVideo, TooDemanding
from vidlab.probe import probe
from vidlab.settings import Settings

Maker = Callable[[str], Made]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Maker]:
    """Takes an input through all stages, once."""
    sent, folder = tmp_path_factory.mktemp("inputs"), tmp_path_factory.mktemp("made")
    with made_ahead(lambda name: make_all(PLAYS[name].make(sent), folder, rungs=("144p",)), request) as maker:
        yield maker


@pytest.mark.parametrize("name", PLAYS)
def test_it_plays(made: Maker, name: str) -> None:
    wanted, clip = PLAYS[name], made(name)
    assert clip.playback.problems == ()
    (played,) = clip.playback.renditions
    assert (played.width, played.height) == wanted.size
    assert played.duration == pytest.approx(wanted.seconds, abs=0.1)
    assert clip.thumbnail.read_bytes().startswith(b"\xff\xd8")


@pytest.mark.parametrize("name", [name for name, one in PLAYS.items() if one.found or one.normalised or one.channels])
def test_the_record_tells_what_it_was(made: Maker, name: str) -> None:
    wanted, clip = PLAYS[name], made(name)
    assert {key: getattr(clip.original, key) for key in wanted.found} == wanted.found
    assert wanted.normalised in str(clip.plan)
    if wanted.channels:
        assert tuple(track.channels for track in clip.media.audio) == wanted.channels


@pytest.mark.parametrize("name", [name for name, one in PLAYS.items() if one.turn])
def test_its_colours_are_where_they_were(made: Maker, name: str) -> None:
    turn = PLAYS[name].turn
    assert turn
    found = pixels(made(name).segment("144p"), [turn((2 * stripe + 1) / 12, 0.94) for stripe in range(5)])
    assert all(is_near(*pair, by=48) for pair in zip(found, STRIPES, strict=False)), found


@pytest.mark.parametrize("name", PLAYS)
def test_what_is_made_needs_nothing_more(made: Maker, name: str) -> None:
    """A picture of 8-bit 4:2:0 in BT.709, and sound whose packets follow one another."""
    clip = made(name)
    streams = probed(clip.segment("144p"), "-show_streams")["streams"]
    assert (streams[0]["pix_fmt"], streams[0]["color_space"], streams[0]["color_range"]) == ("yuv420p", "bt709", "tv")
    assert len(streams) == 1 + len(clip.original.audio)
    assert clip.media.duration == pytest.approx(clip.original.duration, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("eight_k", (256, 144)), ("eight_k_upright", (144, 256))])
def test_the_largest_picture_is_made_within_the_memory_allowed(
    tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    made = make_all(LARGE[name].make(tmp_path), tmp_path / "made", rungs=("144p",))
    assert made.playback.problems == ()
    (played,) = made.playback.renditions
    assert (played.width, played.height) == size


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_reason(tmp_path: Path, name: str) -> None:
    path = make_clip(REFUSED[name].clip, tmp_path).replace(tmp_path / "sent.mp4")
    with pytest.raises((NotAVideo, TooDemanding)) as caught:
        probe(path, Settings())
    assert REFUSED[name].words in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
