"""Ready conditions, asked of small servers that answer as they are told."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.unit.labs import answering_server
from vidlab.lab.ready import CONDITIONS, announce, announced
from vidlab.settings import Settings, azurite_connection_string

Answering = Callable[[bytes], int]

HTTP = b"HTTP/1.1 400 Bad Request\r\nServer: Azurite-Blob/3.37.0\r\nContent-Length: 0\r\n\r\n"
ALIVE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
ONE_BROKER = struct.pack(">iiii", 12, 1, 0, 1)
NO_BROKER = struct.pack(">iiii", 12, 1, 0, 0)


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Makes a server that gives every caller the same answer, and tells its port."""
    with ExitStack() as servers:
        yield lambda answer: servers.enter_context(answering_server(answer))


def settings_for(port: int) -> Settings:
    address = f"127.0.0.1:{port}"
    return Settings(
        kafka=address,
        redis_url=f"redis://{address}/0",
        storage=SecretStr(azurite_connection_string("127.0.0.1", port)),
        clamd=address,
        api_url=f"http://{address}",
    )


@pytest.mark.parametrize(
    ("name", "answer", "reached"),
    [
        ("kafka", ONE_BROKER, "1 broker"),
        ("kafka", NO_BROKER, None),
        ("kafka", b"", None),
        ("redis", b"+PONG\r\n", "answers PING"),
        ("redis", b"-LOADING Redis is loading the dataset in memory\r\n", None),
        ("redis", b"", None),
        ("azurite", HTTP, "version 3.37.0"),
        ("azurite", b"", None),
        ("clamd", b"PONG\n", "answers PING"),
        ("clamd", b"", None),
        ("api", HTTP, None),
    ],
)
def test_a_server_is_ready_when_it_answers_rightly(
    answering: Answering, name: str, answer: bytes, reached: str | None
) -> None:
    assert CONDITIONS[name].check(settings_for(answering(answer))) == reached


def test_the_api_is_ready_when_it_says_that_it_lives(answering: Answering) -> None:
    settings = settings_for(answering(ALIVE))
    assert CONDITIONS["api"].check(settings) == f"{settings.api_url}/docs"


@pytest.mark.parametrize("name", ["kafka", "redis", "azurite", "clamd", "api"])
def test_a_server_that_is_not_there_is_not_ready(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert CONDITIONS[name].check(settings_for(port)) is None


def test_an_address_without_sense_is_not_ready() -> None:
    assert CONDITIONS["kafka"].check(Settings(kafka="nowhere")) is None


def test_our_own_processes_announce_it_in_one_line(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path, process="worker-360p.1")
    assert announced(settings) is None
    announce(settings, "joined a group,\n6 partitions")
    assert announced(settings) == "joined a group, 6 partitions"
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["worker-360p.1.ready"]
