"""A path that can hold no lab is told in a sentence, whatever is asked of it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from vidlab.errors import FolderGone, FolderUnusable
from vidlab.lab.folder import Folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("not a folder")
    return tmp_path / "file"


def test_a_file_is_no_folder(file: Path) -> None:
    with pytest.raises(FolderUnusable, match="it is no folder"):
        Folder(file)


@pytest.mark.parametrize("name", ["x" * 300, "~no-such-user/x"])
def test_a_name_that_cannot_be_is_told(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FolderUnusable):
        Folder(Path(name))


def test_a_folder_that_cannot_be_made_is_told(file: Path) -> None:
    with pytest.raises(FolderUnusable, match="Not a directory"):
        Folder(file / "below").make()


def test_a_lab_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "lab")
    folder.make()
    (folder.root / "up.lock").mkdir()
    with pytest.raises(FolderUnusable, match="Is a directory"), folder.locked("up"):
        pass


def test_what_goes_wrong_under_the_lock_is_told_as_it_is(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "lab")
    folder.make()
    with pytest.raises(FileNotFoundError), folder.locked("up"):
        (tmp_path / "nowhere").read_text()


def test_in_a_folder_that_is_gone_only_a_whole_path_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert Folder(tmp_path / "lab").root == tmp_path / "lab"
    with pytest.raises(FolderGone):
        Folder(Path("lab"))


def test_a_folder_that_was_there_is_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab").chmod(0o755)
    Folder(tmp_path / "lab").make()
    assert (tmp_path / "lab").stat().st_mode & 0o777 == 0o700


def test_who_comes_second_takes_the_id_that_is_there(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    second = threading.Thread(target=folder.make)
    with folder.locked("make"):
        second.start()
        second.join(0.5)  # it would be done by now if it did not wait
        assert not folder.is_lab
        (tmp_path / "lab-id").write_text("the first one's")
    second.join()
    assert folder.lab_id == "the first one's"


@pytest.mark.parametrize("text", ["", "[1]", '{"worker-360p": null}', '{"worker-360p": "x"}'])
def test_counts_that_were_spoilt_are_ignored(tmp_path: Path, text: str) -> None:
    folder = Folder(tmp_path)
    folder.counts_file.write_text(text)
    assert folder.read_counts() == {}
