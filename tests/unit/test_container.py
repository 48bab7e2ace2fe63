"""The entry point of a container: which of its service's containers it is."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services import container


@contextmanager
def name_server(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[list[bytes]]:
    """A name server on this machine that answers one question with a name, or, without one, that there is none."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as serving:
        serving.bind(("127.0.0.1", 0))
        serving.settimeout(5)
        monkeypatch.setattr(container, "NAME_SERVER", serving.getsockname())

        def answer() -> None:
            question, asker = serving.recvfrom(512)
            asked.append(question)
            labels = b"".join(bytes([len(label)]) + label.encode() for label in [*name.split("."), ""])
            record = b"\xc0\x0c" + struct.pack(">HHIH", 12, 1, 600, len(labels)) + labels
            counts = struct.pack(">6H", 1, 0x8180, 1, 1 if name else 0, 0, 0)
            serving.sendto(counts + question[12:] + (record if name else b""), asker)

        thread = threading.Thread(target=answer)
        thread.start()
        yield asked
        thread.join()


def test_the_name_that_docker_gave_is_asked_for_by_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with name_server(monkeypatch, "vidlab-worker_360p-12.vidlab_default") as asked:
        assert container.first_label("172.18.0.21") == "vidlab-worker_360p-12"
    assert b"\x0221\x010\x0218\x03172\x07in-addr\x04arpa\x00" in asked[0]


def test_an_address_without_a_name_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with name_server(monkeypatch, ""):
        assert container.first_label("172.18.0.21") == ""


def test_a_worker_has_its_number_and_the_api_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "first_label", lambda address: "vidlab-worker_360p-12")
    assert container.name_of("worker", "360p") == "worker-360p.12"
    assert container.name_of("api") == "api"


def test_a_name_that_is_never_told_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "first_label", lambda address: "")
    monkeypatch.setattr(container, "PATIENCE", 0.2)
    with pytest.raises(TimeoutError, match="did not tell"):
        container.number()
