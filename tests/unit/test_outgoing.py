from __future__ import annotations

import os
from pathlib import Path

import pytest

from vidlab.errors import BadChunk
from vidlab.outgoing import Outgoing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "clip.mp4"
    file.write_bytes(bytes(range(25)))
    return file


def opened(path: Path, chunk_bytes: int = 10, *, fresh: bool = False) -> Outgoing:
    return Outgoing(path, chunk_bytes, "", fresh=fresh)


def test_the_chunks_are_the_file(path: Path) -> None:
    file = opened(path)
    assert file.total == 3
    assert [file.length(number) for number in range(3)] == [10, 10, 5]
    assert b"".join(file.form(number)[1] for number in range(3)) == path.read_bytes()


def test_the_same_file_has_the_same_key(path: Path) -> None:
    assert opened(path).key == opened(path).key
    assert opened(path, fresh=True).key != opened(path, fresh=True).key


def test_another_file_or_another_cut_has_another_key(path: Path) -> None:
    keys = {opened(path).key, opened(path, 11).key}
    os.utime(path, ns=(1, 1))
    assert len(keys | {opened(path).key}) == 3


def test_what_comes_after_a_failed_try_is_found_again(path: Path) -> None:
    first, second = opened(path), opened(path)
    for file in (first, second):
        file.after("failed")
    assert first.key == second.key != opened(path).key


def test_a_change_while_it_is_sent_is_noticed(path: Path) -> None:
    file = opened(path)
    assert not file.has_changed()
    path.write_bytes(b"other")
    assert file.has_changed()


def test_a_huge_file_is_cut_into_as_many_chunks_as_a_block_list_takes(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(10_000_001)
    assert opened(path, 1).total <= 50_000


def test_an_empty_file_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(BadChunk, match="is empty"):
        opened(tmp_path / "empty")
