"""What clients saw, written while it happens and read while it is written."""

from __future__ import annotations

from pathlib import Path

from vidlab.lab import history
from vidlab.lab.history import COMPLETED, Kind, Writer


def finalized(writer: Writer, video: str, video_hash: str) -> None:
    upload = writer.invoke("client.1", "upload", video, expected=COMPLETED, sha256="5e" * 32)
    asked = writer.invoke("client.1", "finalize", video, video_hash=video_hash)
    writer.end(asked, Kind.UNKNOWN, detail="no answer in time")
    again = writer.invoke("client.1", "finalize", video, video_hash=video_hash)
    writer.end(again, Kind.OK)
    writer.end(upload, Kind.OK, video_hash=video_hash)


def test_what_was_written_is_read_again_while_the_file_is_open(tmp_path: Path) -> None:
    with Writer(tmp_path, "one") as writer:
        finalized(writer, "tiny-0000", "ab" * 16)
        (told,) = writer.history().videos
    assert (told.video, told.video_hash, told.expected) == ("one/tiny-0000", "ab" * 16, COMPLETED)
    assert told.sha256 == "5e" * 32
    kinds = [(line.operation, line.kind) for line in told.lines if line.operation == "finalize"]
    invoke = ("finalize", Kind.INVOKE)
    assert kinds == [invoke, ("finalize", Kind.UNKNOWN), invoke, ("finalize", Kind.OK)]
    assert told.finalized
    assert told.finalized.request == 3
    assert all(line.at.tzinfo for line in told.lines)


def test_half_a_line_is_not_read(tmp_path: Path) -> None:
    with Writer(tmp_path, "one") as writer:
        finalized(writer, "tiny-0000", "ab" * 16)
    whole = history.read(writer.path)
    with writer.path.open("a") as file:
        file.write('{"request": 9, "at": "2026-')
    assert history.read(writer.path) == whole


def test_a_request_that_was_never_answered_says_that_nothing_is_certain(tmp_path: Path) -> None:
    with Writer(tmp_path, "one") as writer:
        writer.invoke("client.1", "finalize", "tiny-0000", video_hash="ab" * 16)
        writer.invoke("client.2", "delete", "tiny-0001", video_hash="cd" * 16)
        left, deleted = writer.history().videos
    assert left.finalized is None
    assert writer.history().finalized == frozenset()
    assert deleted.may_be_deleted


def test_two_histories_do_not_mix_up_videos_of_one_name(tmp_path: Path) -> None:
    for name, video_hash in (("one", "ab" * 16), ("two", "cd" * 16)):
        with Writer(tmp_path, name) as writer:
            finalized(writer, "tiny-0000", video_hash)
    both = history.read_all(tmp_path)
    assert both.hashes == both.finalized == {"ab" * 16, "cd" * 16}
    assert [told.video for told in both.videos] == ["one/tiny-0000", "two/tiny-0000"]
    assert [told.video for told in both.only({"cd" * 16}).videos] == ["two/tiny-0000"]


def test_a_lab_without_a_history_has_an_empty_one(tmp_path: Path) -> None:
    assert history.read_all(tmp_path).videos == ()
