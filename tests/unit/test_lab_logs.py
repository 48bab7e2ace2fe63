"""Log files: their ends, what is new, and their bound."""

from pathlib import Path

import pytest

from vidlab.lab.logs import bound, last_line, plain, since, tail


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


def test_the_tail_is_the_last_lines(log: Path) -> None:
    log.write_text("".join(f"line {number}\n" for number in range(10_000)))
    assert tail(log, 2).text == "line 9998\nline 9999\n"
    assert len(tail(log, 5_000).text.splitlines()) == 5_000
    assert tail(log, 0).text == ""


def test_long_lines_come_whole(log: Path) -> None:
    log.write_text("a" * 100_000 + "\n" + "b" * 100_000 + "\n")
    assert [len(line) for line in tail(log, 2).text.splitlines()] == [100_000, 100_000]


def test_one_goes_on_where_one_was(log: Path) -> None:
    log.write_text("one\n")
    offset = tail(log, 10).offset
    assert since(log, offset).text == ""
    with log.open("a") as file:
        file.write("two\n")
    assert since(log, offset).text == "two\n"


def test_a_log_that_was_begun_anew_is_read_from_its_beginning(log: Path) -> None:
    log.write_text("a long line of before\n")
    offset = tail(log, 1).offset
    log.write_text("new\n")
    assert since(log, offset).text == "new\n"


def test_a_log_that_is_not_there_is_empty(log: Path) -> None:
    assert tail(log, 5).text == since(log, 0).text == last_line(log) == ""


def test_a_log_is_bound_while_its_writer_goes_on(log: Path) -> None:
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100 + b"\n")
        bound(log, limit=50)
        writer.write(b"after\n")
    assert log.read_text() == "after\n"
    assert log.with_name("worker.log.1").read_text() == "x" * 100 + "\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is for Linux")
def test_a_log_is_bound_also_when_the_disk_has_no_room_for_what_it_was(log: Path) -> None:
    earlier = log.with_name(f"{log.name}.1")
    earlier.symlink_to("/dev/full")
    log.write_text("x" * 100)
    bound(log, limit=10)
    assert log.read_text() == ""
    assert not earlier.is_symlink()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("ffmpeg: not found", "ffmpeg: not found"),
        ('{"message": "waiting", "level": "info"}', "waiting"),
        ('{"message": "failed", "exception": "Traceback\\nValueError: no"}', "failed: ValueError: no"),
        ('{"level": "info"}', '{"level": "info"}'),
        ("12", "12"),
    ],
)
def test_the_message_of_a_json_line_is_what_people_read(line: str, text: str) -> None:
    assert plain(line) == text


def test_the_last_line_that_says_something_is_found(log: Path) -> None:
    log.write_text("before\nModuleNotFoundError: no\n\n  \n")
    assert last_line(log) == "ModuleNotFoundError: no"
    assert last_line(log, offset=log.stat().st_size) == ""
