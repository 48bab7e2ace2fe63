"""The contracts of blob storage, against a real Azurite."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobBlock

from tests.azurite import Azurite
from tests.waiting import GUARD, until
from vidlab.errors import BlobGone, DependencyAway, FencedOff, StorageRefused
from vidlab.processes import die_with_parent
from vidlab.settings import MIB
from vidlab.storage import Blob, Storage
from vidlab.storage.account import RANGE
from vidlab.storage.blobs import BLOCK

PATH = "video/original.mp4"
LARGE = 2 * BLOCK + 12_345  # bytes
HOME = Path(__file__).parents[2]
NOTICED = 50.0  # seconds; ours are 18 at most, on an idle machine


def stage(storage: Storage, chunk: int, piece: bytes, path: str = PATH) -> None:
    storage.stage_chunk(path, chunk, io.BytesIO(piece), len(piece))


def put(storage: Storage, data: bytes, fence: int, path: str = "video/hls/144p/segment_000.ts") -> Blob:
    return storage.put_fenced(path, data, fence=fence, content_type="video/mp2t")


def content(storage: Storage, path: str) -> bytes:
    return b"".join(storage.open(path))


def is_away(do: Callable[[], object]) -> None:
    with pytest.raises(DependencyAway):
        do()


# -- chunks


def test_chunks_in_any_order_make_the_file(storage: Storage) -> None:
    for chunk in (2, 0, 1):
        stage(storage, chunk, f"chunk {chunk} ".encode())
    assert storage.head(PATH) is None
    assert storage.staged_chunks(PATH) == {0: 8, 1: 8, 2: 8}
    blob = storage.commit_chunks(PATH, 3, "video/mp4")
    assert content(storage, PATH) == b"chunk 0 chunk 1 chunk 2 "
    assert (blob.bytes, blob.fence, blob.content_type) == (24, None, "video/mp4")
    assert storage.staged_chunks(PATH) == {0: 8, 1: 8, 2: 8}


def test_a_chunk_that_is_sent_again_replaces_itself(storage: Storage) -> None:
    stage(storage, 0, b"a longer first try")
    stage(storage, 0, b"second")
    assert storage.staged_chunks(PATH) == {0: 6}
    assert storage.commit_chunks(PATH, 1, "video/mp4").bytes == 6


def test_a_list_is_committed_once_whatever_is_staged_afterwards(storage: Storage) -> None:
    stage(storage, 0, b"scanned")
    first = storage.commit_chunks(PATH, 1, "video/mp4")
    stage(storage, 0, b"changed")
    assert storage.commit_chunks(PATH, 1, "video/mp4") == first
    assert content(storage, PATH) == b"scanned"


def test_many_commits_at_once_are_one(storage: Storage) -> None:
    stage(storage, 0, b"once")
    with ThreadPoolExecutor(8) as pool:
        blobs = set(pool.map(lambda _: storage.commit_chunks(PATH, 1, "video/mp4"), range(8)))
    assert len(blobs) == 1


def test_a_list_with_missing_chunks_is_not_committed(storage: Storage) -> None:
    stage(storage, 1, b"only the second")
    with pytest.raises(BlobGone):
        storage.commit_chunks(PATH, 2, "video/mp4")
    assert storage.head(PATH) is None
    assert storage.staged_chunks(PATH) == {1: 15}


def test_a_discarded_upload_leaves_nothing(storage: Storage) -> None:
    assert storage.staged_chunks(PATH) == {}
    assert storage.discard_upload(PATH)
    stage(storage, 0, b"abandoned")
    assert storage.discard_upload(PATH)
    assert storage.staged_chunks(PATH) == {}
    assert storage.list_paths("") == []
    with pytest.raises(BlobGone):
        storage.commit_chunks(PATH, 1, "video/mp4")


def test_discarding_does_not_touch_an_original(storage: Storage) -> None:
    stage(storage, 0, b"kept")
    blob = storage.commit_chunks(PATH, 1, "video/mp4")
    assert not storage.discard_upload(PATH)
    assert storage.head(PATH) == blob


def test_what_a_crash_left_while_discarding_is_discarded_and_never_taken_for_an_original(storage: Storage) -> None:
    storage.container.get_blob_client(PATH).commit_block_list([])
    stage(storage, 0, b"late")
    with pytest.raises(BlobGone):
        storage.commit_chunks(PATH, 1, "video/mp4")
    assert storage.discard_upload(PATH)
    assert storage.list_paths("") == []


def test_of_discarding_and_committing_at_once_one_wins(storage: Storage) -> None:
    for number in range(10):
        path = f"video{number}/original.mp4"
        stage(storage, 0, b"raced for", path)
        with ThreadPoolExecutor(2) as pool:
            discarded = pool.submit(storage.discard_upload, path)
            committed = pool.submit(storage.commit_chunks, path, 1, "video/mp4")
        assert discarded.result() == (committed.exception() is not None)
        assert (storage.head(path) is None) == discarded.result()


# -- fences


def test_a_higher_fence_replaces_and_a_lower_one_is_fenced_off(storage: Storage) -> None:
    put(storage, b"second attempt", 2)
    with pytest.raises(FencedOff):
        put(storage, b"first attempt", 1)
    third = put(storage, b"third attempt", 3)
    assert content(storage, third.path) == b"third attempt"
    assert storage.head(third.path) == third


def test_what_the_same_attempt_wrote_is_accepted(storage: Storage) -> None:
    first = put(storage, b"mine", 1)
    assert put(storage, b"mine", 1) == first


def test_an_original_is_never_replaced(storage: Storage) -> None:
    stage(storage, 0, b"what the user sent")
    storage.commit_chunks(PATH, 1, "video/mp4")
    with pytest.raises(FencedOff):
        put(storage, b"something else", 9, PATH)
    assert content(storage, PATH) == b"what the user sent"


@pytest.mark.parametrize("size", [1000, LARGE])
def test_of_many_writers_at_once_the_highest_fence_stays(storage: Storage, size: int) -> None:
    def write(fence: int) -> None:
        until(lambda: ended(lambda: put(storage, bytes([fence]) * size, fence)), f"fence {fence} ends", 2 * GUARD)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, (3, 1, 4, 2)))
    found = content(storage, "video/hls/144p/segment_000.ts")
    assert found == b"\x04" * size


def ended(write: Callable[[], object]) -> bool:
    """One try, as a worker makes it: when storage did not answer in time, as on a busy machine, it makes another."""
    try:
        with suppress(FencedOff):
            write()
    except DependencyAway:
        return False
    return True


class Sleepy(io.BytesIO):
    """Stops in the middle of being read until it is woken."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.asleep, self.wake = threading.Event(), threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= BLOCK:
            self.asleep.set()
            assert self.wake.wait(30)
        return super().read(size)


def test_a_paused_writer_that_wakes_changes_nothing(storage: Storage) -> None:
    stale = Sleepy(b"1" * LARGE)
    with ThreadPoolExecutor(1) as pool:
        paused = pool.submit(storage.put_fenced, "video/source.mp4", stale, fence=1, content_type="video/mp4")
        assert stale.asleep.wait(30)
        blob = put(storage, b"2" * LARGE, 2, "video/source.mp4")
        stale.wake.set()
        with pytest.raises(FencedOff):
            paused.result()
    assert storage.head("video/source.mp4") == blob
    assert content(storage, "video/source.mp4") == b"2" * LARGE


#: A writer whose file ends when it is told so: it says when it has read its first block, and how it ended.
WRITER = """
import io, sys
from vidlab.errors import VidLabError
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.storage.blobs import BLOCK

class Slow(io.BytesIO):
    def read(self, size=-1):
        if self.tell() == BLOCK:
            print("at work", flush=True)
            sys.stdin.readline()
        return super().read(size)

address, container, path, size = sys.argv[1:]
storage = Storage(Settings(storage=address, container=container))
try:
    storage.put_fenced(path, Slow(b"1" * int(size)), fence=1, content_type="video/mp4")
except VidLabError as error:
    print(type(error).__name__)
"""


@contextmanager
def writing(storage: Storage, path: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that writes a large file there with fence 1, from when it is in its midst."""
    settings = storage.settings
    words = (settings.storage.get_secret_value(), settings.container, path, str(LARGE))
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", WRITER, *words]
    with subprocess.Popen(command, cwd=HOME, env=os.environ, preexec_fn=die_with_parent, **pipes) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "at work\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("size", [10, LARGE])
def test_a_stopped_process_that_wakes_does_not_change_what_was_published(storage: Storage, size: int) -> None:
    path = "video/source.mp4"
    with writing(storage, path) as process:
        process.send_signal(signal.SIGSTOP)
        until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, "it is stopped")
        blob = put(storage, b"2" * size, 2, path)
        process.send_signal(signal.SIGCONT)
        assert process.communicate("go on\n", GUARD)[0] == "FencedOff\n"
    assert storage.head(path) == blob
    assert content(storage, path) == b"2" * size


def test_two_attempts_at_once_never_mix_their_blocks(storage: Storage) -> None:
    path = "video/source.mp4"
    older, newer = Sleepy(b"1" * LARGE), Sleepy(b"2" * LARGE)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(storage.put_fenced, path, older, fence=1, content_type="video/mp4")
        wait_for_block(storage, path, 1, older)
        second = pool.submit(storage.put_fenced, path, newer, fence=2, content_type="video/mp4")
        wait_for_block(storage, path, 2, newer)
        older.wake.set()
        first.result()
        assert content(storage, path) == b"1" * LARGE
        newer.wake.set()
        second.result()
    assert content(storage, path) == b"2" * LARGE


def wait_for_block(storage: Storage, path: str, count: int, writer: Sleepy) -> None:
    """Until that writer sleeps, and so many blocks are staged."""
    assert writer.asleep.wait(30)
    until(lambda: len(staged(storage, path)) >= count, f"{count} blocks are staged")


def staged(storage: Storage, path: str) -> list[BlobBlock]:
    with suppress(ResourceNotFoundError):
        return list(storage.container.get_blob_client(path).get_block_list("uncommitted")[1])
    return []


def test_a_writer_that_is_overtaken_while_it_looks_changes_nothing(storage: Storage) -> None:
    put(storage, b"first", 1)
    head = storage.head

    def overtaken(path: str) -> Blob | None:
        found = head(path)
        if found and found.fence == 1:
            put(storage, b"third", 3)
        return found

    other = Storage(storage.settings)
    with patch.object(other, "head", overtaken), pytest.raises(FencedOff):
        put(other, b"second", 2)
    other.close()
    assert content(storage, "video/hls/144p/segment_000.ts") == b"third"


def test_outputs_are_served_as_what_they_are(storage: Storage, tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(os.urandom(LARGE))
    for data in (b"small", file):
        path = "video/hls/144p/segment_001.ts"
        storage.delete_prefix("video/")
        storage.put_fenced(path, data, fence=1, content_type="video/mp2t")
        found = storage.container.get_blob_client(path).get_blob_properties()
        assert found.content_settings.content_type == "video/mp2t"
        assert "immutable" in (found.content_settings.cache_control or "")


# -- reading


@pytest.fixture
def large(storage: Storage) -> tuple[Blob, bytes]:
    data = os.urandom(2 * RANGE + 777)
    return put(storage, data, 1, "video/source.mp4"), data


def test_a_blob_is_read_whole_in_three_ways(storage: Storage, large: tuple[Blob, bytes], tmp_path: Path) -> None:
    blob, data = large
    storage.download(blob.path, tmp_path / "source.mp4", etag=blob.etag)
    assert (tmp_path / "source.mp4").read_bytes() == data
    with storage.reader(blob.path, blob.etag) as reader:
        assert reader.blob == blob
        assert b"".join(iter(lambda: reader.read(1_000_003), b"")) == data
    assert content(storage, blob.path) == data


@pytest.mark.parametrize(("offset", "length"), [(0, 1), (5, 3 * MIB + 1), (2 * RANGE, None), (7, 10**9)])
def test_a_part_is_read(storage: Storage, large: tuple[Blob, bytes], offset: int, length: int | None) -> None:
    blob, data = large
    part = storage.open(blob.path, etag=blob.etag, offset=offset, length=length)
    assert part.blob == blob
    assert b"".join(part) == data[offset:][:length]


def test_other_bytes_than_meant_are_not_read(storage: Storage, large: tuple[Blob, bytes], tmp_path: Path) -> None:
    blob, _ = large
    reader = storage.reader(blob.path, blob.etag)
    put(storage, b"x" * blob.bytes, 2, blob.path)
    with pytest.raises(BlobGone):
        reader.readall()
    with pytest.raises(BlobGone):
        storage.open(blob.path, etag=blob.etag)
    with pytest.raises(BlobGone):
        storage.reader(blob.path, blob.etag)
    with pytest.raises(BlobGone):
        storage.download(blob.path, tmp_path / "source.mp4", etag=blob.etag)
    assert not (tmp_path / "source.mp4").exists()


def test_what_is_not_there(storage: Storage, tmp_path: Path) -> None:
    assert storage.head("nothing") is None
    for read in (storage.open, storage.reader, lambda path: storage.download(path, tmp_path / "x")):
        with pytest.raises(BlobGone, match="nothing"):
            read("nothing")


def test_an_empty_blob_is_read_as_nothing(storage: Storage) -> None:
    blob = put(storage, b"", 1)
    assert content(storage, blob.path) == b""
    with storage.reader(blob.path, blob.etag) as reader:
        assert reader.read(10) == b""


# -- folders


def test_a_video_is_deleted_whole_and_nothing_else(storage: Storage) -> None:
    for path in ("a/source.mp4", "a/hls/144p/playlist.m3u8", "ab/source.mp4"):
        put(storage, b"x", 1, path)
    assert storage.list_paths("a/") == ["a/hls/144p/playlist.m3u8", "a/source.mp4"]
    assert storage.delete_prefix("a/") == 2
    assert storage.delete_prefix("a/") == 0
    assert storage.list_paths("") == ["ab/source.mp4"]


@pytest.mark.parametrize("prefix", ["", "/", "a"])
def test_nothing_but_a_folder_is_deleted(storage: Storage, prefix: str) -> None:
    with pytest.raises(ValueError, match="is not a folder"):
        storage.delete_prefix(prefix)


# -- when it is away


def test_a_container_that_is_missing_is_waited_for(azurite: Azurite) -> None:
    storage = Storage(azurite.settings(container="missing"))
    for ask in (
        storage.ping,
        lambda: storage.head("x"),
        lambda: storage.staged_chunks("x"),
        lambda: stage(storage, 0, b"x"),
    ):
        with pytest.raises(DependencyAway, match="azurite does not answer: it has no container missing"):
            ask()
    storage.ensure_container()
    storage.ensure_container()
    storage.ping()
    storage.close()


def test_what_it_refuses_is_told_by_its_name(storage: Storage) -> None:
    client = storage.container.get_blob_client(PATH)
    client.stage_block("0", b"x")
    with pytest.raises(StorageRefused, match=f"with {PATH}: 400 Invalid"), storage.told(PATH):
        client.stage_block("an id of another length", b"x")


def test_a_server_that_is_gone_is_noticed(azurite: Azurite, storage: Storage, tmp_path: Path) -> None:
    blob = put(storage, b"x" * (2 * RANGE), 1, "video/source.mp4")
    with azurite.stopped():
        is_away(lambda: storage.head("x"))
        is_away(lambda: stage(storage, 0, b"x"))
        is_away(lambda: storage.download(blob.path, tmp_path / "x", etag=blob.etag))
        is_away(storage.ping)
    assert storage.head(blob.path) == blob


@pytest.mark.slow
def test_a_server_that_hangs_is_noticed(azurite: Azurite, storage: Storage) -> None:
    """As long as it hangs, nobody waits for more than some seconds; the SDK's own limits are minutes."""
    blob = put(storage, b"x" * (8 * RANGE), 1, "video/source.mp4")
    reader = storage.reader(blob.path, blob.etag)
    reader.read(1)
    with ThreadPoolExecutor(3) as pool, azurite.paused():
        asked = [pool.submit(is_away, ask) for ask in (storage.ping, lambda: storage.head("x"), reader.readall)]
        first, _ = wait(asked, NOTICED, FIRST_COMPLETED)
        done, _ = wait(asked, NOTICED)
    assert first == {asked[0]}, "a ping is the quickest to notice"
    assert [one in done and one.exception() for one in asked] == [None] * 3
    assert storage.head(blob.path) == blob
