"""A folder of the cache is filled or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidlab.lab import cache


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    made: list[Path] = []
    for _ in range(2):
        cache.fill(tmp_path / "deep" / "thing", made.append)
    assert len(made) == 1
    assert (tmp_path / "deep" / "thing").is_dir()


def test_what_was_interrupted_is_not_there_and_goes_on(tmp_path: Path) -> None:
    def half(draft: Path) -> None:
        (draft / "first").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.fill(tmp_path / "thing", half)
    assert not (tmp_path / "thing").exists()

    cache.fill(tmp_path / "thing", lambda draft: (draft / "second").touch())
    assert sorted(path.name for path in (tmp_path / "thing").iterdir()) == ["first", "second"]


def test_forget_removes_the_draft_too(tmp_path: Path) -> None:
    cache.fill(tmp_path / "thing", lambda draft: None)
    (tmp_path / "thing.draft").mkdir()
    cache.forget(tmp_path / "thing")
    assert not list(tmp_path.glob("thing*/"))


def test_another_content_is_another_key(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("b")
    assert cache.key(one) != cache.key(two)
    assert cache.key(one) == cache.key(one)
