"""The table of clips."""

from __future__ import annotations

from pathlib import Path

from vidlab import clips


def test_each_clip_has_a_name_of_its_own() -> None:
    assert len(clips.CLIPS) == len((*clips.GOOD, *clips.BAD))


def test_no_file_of_ours_holds_the_test_virus() -> None:
    virus = "".join(clips.EICAR).encode()
    home = Path(__file__).parents[2]
    ours = [path for folder in ("vidlab", "services", "tests", "data") for path in (home / folder).rglob("*")]
    files = [path for path in ours if path.is_file() and path.parent != home / "data" / "clips"]
    assert [path for path in files if virus in path.read_bytes()] == []


def test_the_sample_is_there() -> None:
    assert clips.sample_path().stat().st_size > 1_000_000


def test_a_clip_that_is_not_drawn_is_made_once(tmp_path: Path) -> None:
    made = clips.make("text", tmp_path)
    made.write_text("kept")
    assert clips.make("text", tmp_path).read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["text.mp4"]
