"""An Azurite that is killed has forgotten nothing that it confirmed: neither blobs, nor blocks, nor deletions."""

from __future__ import annotations

import hashlib
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from azure.core.exceptions import AzureError
from azure.storage.blob import BlobBlock, ContainerClient

from tests.azurite import Azurite

WRITERS = 4
KILLS = 4
CONFIRMED = 40  # blobs by each writer before the next kill


def content(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest() * 200


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Azurite]:
    """An Azurite that a test may kill."""
    azurite = Azurite(tmp_path)
    azurite.start()
    yield azurite
    azurite.stop()


def container_of(azurite: Azurite) -> ContainerClient:
    return ContainerClient.from_connection_string(azurite.connection_string, "videos", retry_total=0)


class Writer:
    """Writes blobs in two ways, and deletes every fifth, as long as it is answered; knows what was confirmed."""

    def __init__(self, container: ContainerClient, number: int) -> None:
        self.container, self.number, self.count = container, number, 0
        self.there: set[str] = set()
        self.gone: set[str] = set()
        self.enough = threading.Event()

    def run(self) -> None:
        try:
            for turn in range(100_000):
                self._write(turn)
                if turn == CONFIRMED:
                    self.enough.set()
        except AzureError:  # it was killed
            return

    def _write(self, turn: int) -> None:
        self.count += 1
        name = f"{self.number}-{self.count}"
        blob = self.container.get_blob_client(name)
        if turn % 2:
            blob.upload_blob(content(name))
        else:
            blob.stage_block("00001", content(name))
            blob.commit_block_list([BlobBlock("00001")])
        self.there.add(name)
        if turn % 5 == 0:
            blob.delete_blob()
            self.there.discard(name)
            self.gone.add(name)


@pytest.mark.slow
def test_what_was_confirmed_outlives_kill_after_kill(own: Azurite) -> None:
    with container_of(own) as container:
        container.create_container()
        writers = [Writer(container, number) for number in range(WRITERS)]
        for _ in range(KILLS):
            kill_under_load(own, writers)
            own.start()
            there = {blob.name: blob.size for blob in container.list_blobs()}
            for writer in writers:
                assert writer.there <= set(there)
                # The one whose deletion was under way may be gone or not.
                assert not writer.gone & set(there)
            for name in sorted(there)[::7]:
                assert container.download_blob(name).readall() == content(name)


def kill_under_load(azurite: Azurite, writers: list[Writer]) -> None:
    for writer in writers:
        writer.enough.clear()
    with ThreadPoolExecutor(WRITERS) as pool:
        running = [pool.submit(writer.run) for writer in writers]
        for writer in writers:
            assert writer.enough.wait(60)
        azurite.send(signal.SIGKILL)
        for one in running:
            one.result()
    assert azurite.process
    azurite.process.wait()


def test_blocks_that_wait_for_their_commit_outlive_a_kill(own: Azurite) -> None:
    with container_of(own) as container:
        container.create_container()
        blob = container.get_blob_client("upload")
        blob.stage_block("00001", b"first ")
        own.send(signal.SIGKILL)
        assert own.process
        own.process.wait()
        own.start()
        blob.stage_block("00002", b"second")
        blob.commit_block_list([BlobBlock("00001"), BlobBlock("00002")])
        assert container.download_blob("upload").readall() == b"first second"
