"""Only a clear yes of a real clamd counts as clean; whatever else happens, the video waits."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyclamd
import pytest

from vidlab import clips as table
from vidlab.errors import DependencyAway, HandedBack, Infected
from vidlab.lab.servers.clamd import clamd_command
from vidlab.processes import die_with_parent
from vidlab.scan import CHUNK, Scanner
from vidlab.settings import Settings

READY = 20.0  # seconds for clamd to start
TIMEOUT = 5.0  # seconds


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def scanner(port: int, timeout: float = TIMEOUT) -> Scanner:
    return Scanner(Settings(clamd=f"127.0.0.1:{port}", scan_timeout_seconds=timeout))


@contextmanager
def running_clamd(folder: Path, **changes: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A clamd that answers, with the lab's configuration and some lines of it changed."""
    port = free_port()
    command = clamd_command(folder, {"clamd": port}, Settings())
    configuration = command.cwd / "clamd.conf"
    lines = [line for line in configuration.read_text().splitlines() if line.partition(" ")[0] not in changes]
    configuration.write_text("\n".join([*lines, *(f"{key} {value}" for key, value in changes.items()), ""]))
    with (folder / "clamd.log").open("wb") as log:
        env = {**os.environ, **command.env}
        process = subprocess.Popen(
            command.argv, cwd=command.cwd, env=env, stdout=log, stderr=log, preexec_fn=die_with_parent
        )
    try:
        wait_for(port, process, folder / "clamd.log")
        yield port, process
    finally:
        process.kill()
        process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return scanner(port).scan(io.BytesIO(b"ready?"))
        except DependencyAway:
            time.sleep(0.05)
    pytest.fail(f"clamd did not get ready:\n{log.read_text()}")


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a clamd that stays well."""
    with running_clamd(tmp_path_factory.mktemp("clamd")) as (port, _):
        yield port


class Stream:
    """Zeros, and something that is done before the end of the stream is told."""

    def __init__(self, size: int, before_end: Callable[[], None] = lambda: None) -> None:
        self.left = size
        self.before_end = before_end

    def read(self, size: int, /) -> bytes:
        piece = bytes(min(size, self.left))
        self.left -= len(piece)
        if not piece:
            self.before_end()
        return piece


# -- a real clamd ----------------------------------------------------------------------------------------------------


def test_a_clean_file_passes(clamd: int, clips: Path) -> None:
    with table.make("tiny", clips).open("rb") as file:
        scanner(clamd).scan(file)
        assert file.read() == b""


def test_an_empty_stream_is_clean(clamd: int) -> None:
    scanner(clamd).scan(io.BytesIO())


def test_a_virus_inside_a_video_is_found_and_named(clamd: int, clips: Path) -> None:
    with table.make("infected", clips).open("rb") as file, pytest.raises(Infected) as caught:
        scanner(clamd).scan(file)
    assert caught.value.facts["signature"] == "Eicar-Test-Signature.UNOFFICIAL"


def test_a_virus_across_two_pieces_is_found(clamd: int) -> None:
    virus = "".join(table.EICAR).encode()
    with pytest.raises(Infected):
        scanner(clamd).scan(io.BytesIO(bytes(CHUNK - 30) + virus + bytes(100)))


def test_a_stream_that_gives_single_bytes_is_read_to_its_end(clamd: int) -> None:
    content = io.BytesIO(b"\0" * 500 + "".join(table.EICAR).encode())

    class Slow:
        def read(self, _: int, /) -> bytes:
            return content.read(1)

    with pytest.raises(Infected):
        scanner(clamd).scan(Slow())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"StreamMaxLength": "1M"}, "size limit exceeded|Broken pipe|reset by peer"),
        ({"MaxFileSize": "1M", "MaxScanSize": "1M"}, r"over a limit of the scanner \(Heuristics.Limits.Exceeded"),
    ],
)
def test_a_limit_of_the_scanner_is_neither_clean_nor_a_virus(
    tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    with running_clamd(tmp_path, **changes) as (port, _), pytest.raises(DependencyAway, match=words):
        scanner(port).scan(Stream(8 * CHUNK))


def test_killed_between_the_last_byte_and_the_answer_is_not_clean(tmp_path: Path) -> None:
    """Stopped before the end is told, so that everything is sent and nothing can be answered; then killed."""
    with running_clamd(tmp_path) as (port, process):

        def stop_then_kill() -> None:
            process.send_signal(signal.SIGSTOP)
            threading.Timer(0.5, process.kill).start()

        with pytest.raises(DependencyAway, match="clamd does not answer"):
            scanner(port).scan(Stream(3 * CHUNK, stop_then_kill))


def test_stopped_is_away_after_the_time_out(tmp_path: Path) -> None:
    with running_clamd(tmp_path) as (port, process):
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(DependencyAway, match="nothing moved for 1 s"):
            scanner(port, timeout=1).scan(Stream(64 * CHUNK))  # more than the connection's buffers hold


def test_a_scan_that_waits_can_be_stopped(tmp_path: Path) -> None:
    reason = HandedBack(stage="preprocessing", video_hash="abc")
    with running_clamd(tmp_path) as (port, process):
        process.send_signal(signal.SIGSTOP)
        until = time.monotonic() + 0.5
        with pytest.raises(HandedBack):
            scanner(port).scan(Stream(CHUNK), stopping=lambda: reason if time.monotonic() > until else None)


def test_nobody_there_is_away() -> None:
    with pytest.raises(DependencyAway, match="Connection refused"):
        scanner(free_port()).scan(Stream(1))


def test_an_error_of_the_stream_itself_is_not_put_down_to_clamd(clamd: int) -> None:
    def fail() -> None:
        raise OSError("the download broke")

    with pytest.raises(OSError, match="the download broke"):
        scanner(clamd).scan(Stream(1, fail))


# -- answers that a real clamd gives rarely --------------------------------------------------------------------------


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """A port where everything is read, and then these bytes are the whole answer; once for each connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                _answer(server.accept()[0], answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(TIMEOUT)


def _answer(connection: socket.socket, answer: bytes) -> None:
    with connection:
        received = b""
        while piece := connection.recv(65536):
            received += piece
            if received.endswith(b"\0\0\0\0"):
                break
        connection.sendall(answer)


#: pyclamd connects once to see whether anyone is there.
HELLO = b""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "it ended the connection without an answer"),
        (b"stream: OK", "it ended the connection without an answer"),  # not a whole line: who knows what followed
        (b"stream: O", "it ended the connection without an answer"),
        (b"OK\n", "it answered 'OK'"),
        (b"stream: ok\n", "it answered 'stream: ok'"),
        (b"COMMAND READ TIMED OUT\n", "it answered"),
        (b"INSTREAM size limit exceeded. ERROR\n", "size limit exceeded"),
        (b"stream: Can't allocate memory ERROR\n", "allocate memory"),
        (b"stream: Heuristics.Limits.Exceeded.MaxScanTime FOUND\n", "MaxScanTime"),
        (b"\xff\xfe\n", "it answered"),
        (b"x" * 10_000, "without an answer"),
    ],
)
def test_every_other_answer_means_not_scanned(answer: bytes, words: str) -> None:
    with answering(HELLO, answer) as port, pytest.raises(DependencyAway, match=words):
        scanner(port).scan(io.BytesIO(b"a video"))


def test_the_literal_answer_is_believed() -> None:
    with answering(HELLO, b"stream: OK\n") as port:
        scanner(port).scan(io.BytesIO(b"a video"))


def test_the_trap_is_real() -> None:
    """What pyclamd says of a clamd that read everything and died: None, its word for clean."""
    with answering(HELLO, b"") as port:
        assert pyclamd.ClamdNetworkSocket("127.0.0.1", port, TIMEOUT).scan_stream(b"a video") is None
