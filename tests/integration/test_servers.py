"""The real servers start by the commands that the lab gets, do their work, keep their data, and go."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import redis
from azure.storage.blob import BlobServiceClient
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # it is public all the same

from tests.servers import free_ports, running
from tests.waiting import until
from vidlab.clips import EICAR, sample_path
from vidlab.settings import Settings, azurite_connection_string

READY = 60.0  # seconds, on a busy machine
VIRUS = "".join(EICAR).encode()


# -- kafka


def admin_of(ports: Mapping[str, int]) -> AdminClient:
    """A client that tries again at once, and does not complain each time that the broker is not up yet."""
    logger = logging.getLogger("tests.kafka")
    logger.setLevel(logging.CRITICAL)
    address = f"127.0.0.1:{ports['kafka']}"
    return AdminClient({"bootstrap.servers": address, "reconnect.backoff.max.ms": 200}, logger=logger)


def topics(ports: Mapping[str, int]) -> set[str]:
    """The topics of a Kafka, once it answers."""
    found: set[str] = set()
    admin = admin_of(ports)

    def answered() -> bool:
        try:
            found.update(admin.list_topics(timeout=1).topics)
        except KafkaException:
            return False
        return True

    until(answered)
    return found


def make_topic(name: str, ports: Mapping[str, int]) -> None:
    admin = admin_of(ports)
    for made in admin.create_topics([NewTopic(name, 6, 1)]).values():
        made.result(READY)


def test_a_kafka_goes_on_with_its_data_on_other_ports_and_after_a_kill(tmp_path: Path) -> None:
    ports = free_ports()
    with running("kafka", tmp_path, ports) as process:
        topics(ports)
        make_topic("first", ports)
        assert "first" in topics(ports)
        process.kill()
        process.wait()

    ports = free_ports()
    with running("kafka", tmp_path, ports):
        assert "first" in topics(ports)


# -- redis


def test_a_redis_keeps_what_it_was_told_when_it_is_killed(tmp_path: Path) -> None:
    ports = free_ports()
    with running("redis", tmp_path, ports) as process, redis.Redis(port=ports["redis"]) as client:
        client.rpush("queue", "task")
        until(lambda: b"task" in written(tmp_path / "redis"), "it is written")
        process.kill()
        process.wait()

    with running("redis", tmp_path, ports), redis.Redis(port=ports["redis"]) as client:
        assert client.lrange("queue", 0, -1) == [b"task"]
    assert {path.name for path in tmp_path.iterdir()} == {"redis", "redis.log"}


def written(home: Path) -> bytes:
    """What stands in its append-only files, wherever that version has them."""
    return b"".join(file.read_bytes() for file in home.rglob("*.aof"))


# -- azurite


def test_an_azurite_keeps_its_blobs(tmp_path: Path) -> None:
    ports = free_ports()
    address = azurite_connection_string("127.0.0.1", ports["azurite"])
    with running("azurite", tmp_path, ports), BlobServiceClient.from_connection_string(address) as client:
        client.create_container("videos").upload_blob("a/b.bin", b"bytes")
        client.close()

    with running("azurite", tmp_path, ports), BlobServiceClient.from_connection_string(address) as client:
        assert client.get_blob_client("videos", "a/b.bin").download_blob().readall() == b"bytes"
        client.close()


# -- clamd


def scan(content: bytes, port: int) -> str:
    """What clamd says of a stream, in its own protocol."""
    with socket.create_connection(("127.0.0.1", port), timeout=READY) as connection:
        connection.sendall(b"zINSTREAM\0" + struct.pack(">I", len(content)) + content + struct.pack(">I", 0))
        return connection.recv(4096).rstrip(b"\0").decode()


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a clamd."""
    ports = free_ports()
    with running("clamd", tmp_path_factory.mktemp("lab"), ports):
        yield ports["clamd"]


@pytest.mark.parametrize(
    "infect",
    [
        pytest.param(lambda video: VIRUS, id="alone"),
        pytest.param(lambda video: video + VIRUS, id="behind a video"),
        pytest.param(lambda video: video[:500_000] + VIRUS + video[500_000:], id="inside a video"),
        pytest.param(lambda video: b"some text\n" + VIRUS, id="in a text"),
    ],
)
def test_the_test_virus_is_found_wherever_it_is(infect: Callable[[bytes], bytes], scanner: int) -> None:
    answer = scan(infect(sample_path().read_bytes()), scanner)
    assert answer == "stream: Eicar-Test-Signature.UNOFFICIAL FOUND"


def test_a_clean_video_is_clean(scanner: int) -> None:
    assert scan(sample_path().read_bytes(), scanner) == "stream: OK"


def test_no_file_of_the_project_is_taken_for_a_virus(scanner: int) -> None:
    root = Path(__file__).parents[2]
    folders = [root / name for name in ("vidlab", "services", "tests", "data")]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert [file for file in files if scan(file.read_bytes(), scanner) != "stream: OK"] == []


def test_a_scanner_takes_as_much_as_the_settings_say(tmp_path: Path) -> None:
    """Two bytes more, and it says that it is too much: the whole of it was measured once, here only the numbers."""
    ports = free_ports()
    with running("clamd", tmp_path, ports):
        until(lambda: "File size limit set to" in (tmp_path / "clamd.log").read_text())
    limit = Settings().max_file_bytes
    assert f"File size limit set to {limit} bytes" in (tmp_path / "clamd.log").read_text()
