"""The client, against the API over real HTTP and a real Azurite."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock, patch

import pytest

from tests.azurite import Azurite
from tests.postgres import free_port
from tests.serving import serving
from tests.waiting import until
from vidlab.api.app import create_app
from vidlab.client import Client
from vidlab.errors import DependencyAway, FileChanged, NotEnded, UnknownVideo, WrongState
from vidlab.models import Status
from vidlab.pipeline import upload
from vidlab.settings import MIB, Settings
from vidlab.storage import Storage
from vidlab.store import Store


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What is tested here is the client: one database will do."""
    return f"sqlite:///{tmp_path / 'vidlab.db'}"


@pytest.fixture
def client(settings: Settings, storage: Storage, store: Store) -> Iterator[Client]:
    with serving(create_app(settings, storage, store)) as url:
        made = Client(url)
        yield made
        made.close()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(os.urandom(5 * MIB + 1))
    return path


def original(storage: Storage, video_hash: str) -> bytes:
    return b"".join(storage.open(f"{video_hash}/original.mp4"))


def failed(store: Store, video_hash: str) -> None:
    """Preprocessing takes the video, and cannot read it."""
    store.enqueue(video_hash, "preprocessing", store.video(video_hash).original_etag or "")
    lease = store.claim(video_hash, "preprocessing")
    assert lease
    store.fail(lease, "It is text.", permanent=True)


def test_a_file_arrives_whole_and_tells_how_far_it_is(client: Client, storage: Storage, clip: Path) -> None:
    seen: list[tuple[int, int]] = []
    video = client.upload(clip, chunk_bytes=MIB, title="A clip", on_progress=lambda *done: seen.append(done))
    assert original(storage, video["video_hash"]) == clip.read_bytes()
    assert (video["status"], video["title"], video["total_chunks"]) == ("preprocessing", "A clip", 6)
    size = clip.stat().st_size
    assert seen[0] == (MIB, size)
    assert seen[-1] == (size, size)
    assert seen == sorted(seen)


def test_an_upload_that_was_cut_off_goes_on(client: Client, storage: Storage, clip: Path) -> None:
    sent: list[int] = []
    stage = storage.stage_chunk

    def cut_off(path: str, chunk: int, *more: object) -> None:
        if len(sent) == 3:
            raise UnknownVideo(video_hash="cut off")
        sent.append(chunk)
        stage(path, chunk, *more)  # type: ignore[arg-type]

    one_at_a_time = patch("vidlab.client.AT_ONCE", 1)  # none is on its way when the third is there
    with one_at_a_time, patch.object(storage, "stage_chunk", cut_off), pytest.raises(UnknownVideo):
        client.upload(clip, chunk_bytes=MIB)
    seen: list[int] = []
    video = client.upload(clip, chunk_bytes=MIB, on_progress=lambda done, total: seen.append(done))
    assert seen[0] == 3 * MIB
    assert len(client.videos()) == 1
    assert original(storage, video["video_hash"]) == clip.read_bytes()


def test_what_was_sent_is_not_sent_again_unless_it_must(client: Client, store: Store, clip: Path) -> None:
    first = client.upload(clip)["video_hash"]
    assert client.upload(clip)["video_hash"] == first
    assert client.upload(clip, again=True)["video_hash"] != first
    failed(store, first)
    second = client.upload(clip)["video_hash"]
    assert second != first
    assert client.upload(clip)["video_hash"] == second


def test_a_file_that_changes_meanwhile_is_not_finalized(client: Client, clip: Path) -> None:
    with pytest.raises(FileChanged):
        client.upload(clip, on_progress=lambda *_: os.utime(clip, ns=(1, 1)))
    assert [video["status"] for video in client.videos()] == ["uploading"]


def test_what_storage_lost_is_sent_again(client: Client, storage: Storage, clip: Path) -> None:
    staged = storage.staged_chunks
    lost: list[str] = []

    def losing(path: str) -> dict[int, int]:
        if len(staged(path)) == 6 and not lost:
            lost.append(path)
            storage.discard_upload(path)
            return dict.fromkeys(range(6), 1)
        return staged(path)

    with patch.object(storage, "staged_chunks", losing):
        video = client.upload(clip, chunk_bytes=MIB)
    assert lost
    assert original(storage, video["video_hash"]) == clip.read_bytes()


def test_an_upload_waits_for_storage(client: Client, storage: Storage, azurite: Azurite, clip: Path) -> None:
    stage = Mock(wraps=storage.stage_chunk)
    with ThreadPoolExecutor(1) as pool, patch.object(storage, "stage_chunk", stage):
        with azurite.stopped():
            uploading = pool.submit(client.upload, clip)
            until(lambda: stage.call_count > 1, "it has tried again")
            assert not uploading.done()
        video = uploading.result()
    assert original(storage, video["video_hash"]) == clip.read_bytes()


def test_errors_are_the_same_as_there(client: Client, clip: Path) -> None:
    with pytest.raises(UnknownVideo, match="There is no video nothing"):
        client.video("nothing")
    video = client.upload(clip)
    with pytest.raises(WrongState, match="only what failed can be tried again"):
        client.retry(video["video_hash"])
    client.delete(video["video_hash"])
    with pytest.raises(UnknownVideo):
        client.delete(video["video_hash"])


def test_what_failed_is_tried_again(client: Client, store: Store, clip: Path) -> None:
    video_hash = client.upload(clip)["video_hash"]
    failed(store, video_hash)
    assert client.wait(video_hash, timeout=1)["error"] == {"stage": "preprocessing", "reason": "It is text."}
    assert client.retry(video_hash)["status"] == "preprocessing"


def test_videos_are_listed_over_many_pages(client: Client, store: Store) -> None:
    facts = {"total_chunks": 1, "filename": "a", "extension": "mp4", "title": "", "idempotency_key": None}
    for _ in range(7):
        store.create_upload(**facts)  # type: ignore[arg-type]
    with patch("vidlab.client.MOST", 3):
        assert len(client.videos()) == 7
        assert len(client.videos(limit=4)) == 4
        assert client.videos(status="completed") == []


def test_waiting_ends_with_the_video_or_the_time(client: Client, store: Store, clip: Path) -> None:
    video_hash = client.upload(clip)["video_hash"]
    statuses: list[str] = []
    with pytest.raises(NotEnded, match="it is preprocessing"):
        client.wait(video_hash, timeout=0.3, on_change=lambda video: statuses.append(video["status"]))
    assert statuses == ["preprocessing"]
    threading.Timer(0.3, failed, (store, video_hash)).start()
    assert client.wait(video_hash, timeout=10)["status"] == Status.FAILED


def test_an_api_that_is_not_there() -> None:
    client = Client(f"http://127.0.0.1:{free_port()}")
    with patch("vidlab.client.PAUSES", (0.1, 0.1)), pytest.raises(DependencyAway, match="api does not answer"):
        client.video("x")
    client.close()


def test_an_upload_that_expired_is_begun_anew(client: Client, store: Store, storage: Storage, clip: Path) -> None:
    with patch("vidlab.client.Client._finalize", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        client.upload(clip)
    (begun,) = store.videos()
    upload.expire(store, storage, begun)
    assert client.upload(clip)["video_hash"] != begun.video_hash
