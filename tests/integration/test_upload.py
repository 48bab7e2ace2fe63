"""Uploads over real HTTP into a real Azurite, on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import httpx
import pytest

from tests.azurite import Azurite
from tests.postgres import free_port
from tests.serving import api_process, serving
from vidlab.api.app import create_app
from vidlab.errors import DependencyAway
from vidlab.models import Status, Video
from vidlab.pipeline import upload
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.store import Store

LIMITS = {"max_chunk_bytes": 100_000, "max_file_bytes": 250_000, "max_chunks": 100}


@dataclass
class Api:
    """The API and what it stands on."""

    http: httpx.Client
    settings: Settings
    store: Store
    storage: Storage

    def send(
        self, chunk: int, piece: bytes, total: int = 3, *, key: str | None = None, name: str = "clip.MP4", **fields: str
    ) -> httpx.Response:
        return self.http.post(
            "/videos/upload",
            data={"chunk": str(chunk), "total_chunks": str(total), **fields},
            files={"file": (name, piece)},
            headers={"Idempotency-Key": key} if key else {},
        )

    def sent(self, chunk: int, piece: bytes, total: int = 3, **more: Any) -> dict[str, Any]:
        answer = self.send(chunk, piece, total, **more)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def begun(self, *pieces: bytes) -> str:
        """An upload of these chunks that waits for finalize."""
        first = self.sent(0, pieces[0], len(pieces))["video_hash"]
        for chunk, piece in enumerate(pieces[1:], 1):
            self.sent(chunk, piece, len(pieces), video_hash=first)
        return str(first)

    def finalize(self, video_hash: str) -> httpx.Response:
        return self.http.post(f"/videos/finalize/{video_hash}")

    def original(self, video_hash: str) -> bytes:
        return b"".join(self.storage.open(f"{video_hash}/original.mp4"))


@pytest.fixture
def api(blob_settings: Settings, store: Store) -> Iterator[Api]:
    settings = blob_settings.model_copy(update=LIMITS)
    storage = Storage(settings)
    storage.ensure_container()
    with serving(create_app(settings, storage, store)) as url, httpx.Client(base_url=url, trust_env=False) as http:
        yield Api(http, settings, store, storage)


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert {"type", "title", "status", "detail", "instance"} <= set(found)
    return dict(found)


def unsent(store: Store) -> list[str]:
    return [row.key for row in store.unsent(100)]


# -- chunks


def test_a_small_video_is_one_call_and_finalize(api: Api) -> None:
    video_hash = api.begun(b"all of it")
    answer = api.finalize(video_hash)
    assert answer.status_code == 200
    video = answer.json()
    assert (video["status"], video["bytes"], video["title"], video["filename"]) == (
        "preprocessing",
        9,
        "clip",
        "clip.MP4",
    )
    assert [(step["name"], step["state"]) for step in video["steps"]] == [("preprocessing", "waiting")]
    assert api.original(video_hash) == b"all of it"
    assert unsent(api.store) == [video_hash]


def test_chunks_come_in_any_order_and_twice(api: Api) -> None:
    answer = api.sent(2, b"ccc")
    video_hash = answer["video_hash"]
    assert (answer["received"], answer["missing"]) == ([[2, 2]], [[0, 1]])
    api.sent(0, b"a", video_hash=video_hash)
    api.sent(0, b"a", video_hash=video_hash)
    answer = api.sent(1, b"bb", video_hash=video_hash)
    assert answer == {
        "video_hash": video_hash,
        "status": "uploading",
        "total_chunks": 3,
        "received": [[0, 2]],
        "missing": [],
        "received_chunks": 3,
        "bytes": 6,
    }
    api.finalize(video_hash)
    assert api.original(video_hash) == b"abbccc"


def test_fifty_chunks_at_once_are_fifty(api: Api) -> None:
    pieces = [os.urandom(1000) for _ in range(50)]
    video_hash = api.sent(0, pieces[0], 50)["video_hash"]
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda chunk: api.sent(chunk, pieces[chunk], 50, video_hash=video_hash), range(50)))
    assert api.finalize(video_hash).status_code == 200
    assert api.original(video_hash) == b"".join(pieces)


def test_ten_first_chunks_at_once_with_one_key_are_one_upload(api: Api) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda chunk: api.sent(chunk, b"%d" % chunk, 10, key="same"), range(10)))
    (video_hash,) = {answer["video_hash"] for answer in answers}
    assert api.finalize(video_hash).status_code == 200
    assert api.original(video_hash) == b"0123456789"


def test_another_total_for_the_same_upload_is_refused(api: Api) -> None:
    video_hash = api.sent(0, b"a", 3, key="same")["video_hash"]
    assert "begun with 3 chunks" in problem(api.send(1, b"b", 4, key="same"), 409)["detail"]
    assert "begun with 3 chunks" in problem(api.send(1, b"b", 4, video_hash=video_hash), 409)["detail"]
    assert len(api.store.videos()) == 1


def test_a_wrong_checksum_stores_nothing(api: Api) -> None:
    found = problem(api.send(0, b"damaged", sha256=hashlib.sha256(b"whole").hexdigest()), 422)
    assert "SHA-256" in found["detail"]
    assert found["detail"].endswith("Nothing was stored.")
    assert api.store.videos() == []
    assert api.storage.list_paths("") == []
    video_hash = api.sent(0, b"whole", sha256=hashlib.sha256(b"whole").hexdigest().upper())["video_hash"]
    problem(api.send(0, b"damaged", video_hash=video_hash, sha256="0" * 64), 422)
    assert api.http.get(f"/videos/{video_hash}/upload").json()["bytes"] == 5


def test_an_unknown_upload_is_not_begun_by_its_second_chunk(api: Api) -> None:
    problem(api.send(1, b"b", video_hash="0" * 32), 404)
    problem(api.http.get("/videos/none/upload"), 404)
    problem(api.finalize("none"), 404)


def test_the_name_of_the_original_is_made_safe(api: Api) -> None:
    for name, extension in (
        ("../../a.MkV", "mkv"),
        ("a.tar.gz/", "bin"),
        ("a.toolongextension", "bin"),
    ):
        video = api.store.video(api.sent(0, b"x", 1, name=name)["video_hash"])
        assert video.extension == extension
        assert "/" not in video.filename


# -- limits


def test_a_chunk_that_is_too_large_is_refused_while_it_comes(api: Api) -> None:
    for piece in (b"x" * 100_001, b"x" * 5_000_000):
        assert "The chunk is too large" in problem(api.send(0, piece), 413)["detail"]
    assert api.store.videos() == []


def test_a_body_of_unknown_length_is_counted_on_its_way(api: Api) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(100):
            sent += 100_000
            yield b"x" * 100_000
        yield b"\r\n--B--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    found = problem(api.http.post("/videos/upload", content=body(), headers=headers), 413)
    assert found["facts"]["size"] < 400_000
    assert api.store.videos() == []


def test_a_file_that_gets_too_large_fails_and_is_forgotten(api: Api) -> None:
    video_hash = api.begun(b"x" * 90_000, b"x" * 90_000, b"x" * 10, b"x" * 10)
    assert "The file is too large" in problem(api.send(2, b"x" * 90_000, 4, video_hash=video_hash), 413)["detail"]
    video = api.http.get(f"/videos/{video_hash}").json()
    assert video["status"] == "failed"
    assert video["error"]["stage"] == "upload"
    assert "at most 250000 are taken" in video["error"]["reason"]
    assert api.storage.staged_chunks(f"{video_hash}/original.mp4") == {}
    problem(api.send(3, b"x", 4, video_hash=video_hash), 409)
    problem(api.finalize(video_hash), 409)
    problem(api.http.post(f"/videos/{video_hash}/retry"), 409)


def test_the_same_key_begins_anew_after_an_upload_failed(api: Api) -> None:
    first = api.sent(0, b"a", key="same")["video_hash"]
    upload.expire(api.store, api.storage, api.store.video(first))
    second = api.sent(0, b"a", key="same")["video_hash"]
    assert first != second


# -- finalize


def test_finalize_with_chunks_missing_names_them(api: Api) -> None:
    video_hash = api.sent(3, b"d", 9)["video_hash"]
    api.sent(4, b"e", 9, video_hash=video_hash)
    found = problem(api.finalize(video_hash), 409)
    assert "of 9 chunks, counted from 0, these are missing: 0 to 2, 5 to 8." in found["detail"]
    assert found["facts"]["ranges"] == [[0, 2], [5, 8]]
    assert unsent(api.store) == []


def test_finalize_again_answers_the_same_without_touching_storage(api: Api, azurite: Azurite) -> None:
    video_hash = api.begun(b"once")
    first = api.finalize(video_hash).json()
    with patch.object(api.storage, "told", side_effect=AssertionError("storage was touched")):
        assert api.finalize(video_hash).json() == first
        progress = api.http.get(f"/videos/{video_hash}/upload").json()
    assert (progress["missing"], progress["bytes"]) == ([], 4)
    assert unsent(api.store) == [video_hash]


def test_eight_that_finalize_at_once_post_one_message(api: Api) -> None:
    video_hash = api.begun(b"once")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.finalize(video_hash).status_code, range(8)))
    assert set(answers) == {200}
    assert unsent(api.store) == [video_hash]


def test_a_chunk_after_finalize_changes_nothing(api: Api) -> None:
    video_hash = api.begun(b"scanned")
    api.finalize(video_hash)
    etag = api.store.video(video_hash).original_etag
    assert "its upload is over" in problem(api.send(0, b"changed", 1, video_hash=video_hash), 409)["detail"]
    api.finalize(video_hash)
    blob = api.storage.head(f"{video_hash}/original.mp4")
    assert blob is not None
    assert blob.etag == etag
    assert api.original(video_hash) == b"scanned"


def test_a_chunk_that_finalize_overtakes_is_refused(api: Api) -> None:
    video_hash = api.begun(b"scanned")

    def finalized_meanwhile(*staged: Any) -> None:
        stage(*staged)
        assert api.finalize(video_hash).status_code == 200

    stage = api.storage.stage_chunk
    with patch.object(api.storage, "stage_chunk", finalized_meanwhile):
        problem(api.send(0, b"changed", 1, video_hash=video_hash), 409)
    assert len(api.original(video_hash)) == 7


# -- crashes between storage and database


@pytest.fixture
def committed(api: Api) -> Video:
    """An upload whose finalize died after the blocks were committed."""
    video = api.store.video(api.begun(b"com", b"mitted"))
    api.storage.commit_chunks(f"{video.video_hash}/original.mp4", 2, "")
    return video


def test_finalize_goes_on_after_a_crash(api: Api, committed: Video) -> None:
    progress = api.http.get(f"/videos/{committed.video_hash}/upload").json()
    assert (progress["missing"], progress["bytes"]) == ([], 9)
    api.send(0, b"CHANGED", 2, video_hash=committed.video_hash)
    assert api.finalize(committed.video_hash).status_code == 200
    assert api.original(committed.video_hash) == b"committed"
    assert unsent(api.store) == [committed.video_hash]


def test_an_upload_that_was_committed_does_not_expire_but_goes_on(api: Api, committed: Video) -> None:
    upload.expire(api.store, api.storage, committed)
    assert api.store.video(committed.video_hash).status == Status.PREPROCESSING
    assert api.original(committed.video_hash) == b"committed"


def test_finalize_of_a_video_that_is_deleted_meanwhile_leaves_nothing(api: Api) -> None:
    video_hash = api.begun(b"deleted")

    def deleted_meanwhile(*listed: Any) -> Any:
        blob = commit(*listed)
        api.store.delete(video_hash)
        return blob

    commit = api.storage.commit_chunks
    with patch.object(api.storage, "commit_chunks", deleted_meanwhile):
        problem(api.finalize(video_hash), 404)
    assert api.storage.list_paths("") == []


@pytest.mark.parametrize("end", ["expire", "delete"])
def test_a_chunk_that_comes_too_late_cleans_up_after_itself(api: Api, end: str) -> None:
    video = api.store.video(api.sent(0, b"a")["video_hash"])
    ends: dict[str, Callable[[], object]] = {
        "expire": lambda: upload.expire(api.store, api.storage, video),
        "delete": lambda: api.store.delete(video.video_hash),
    }

    def ended_meanwhile(*staged: Any) -> None:
        ends[end]()
        stage(*staged)

    stage = api.storage.stage_chunk
    with patch.object(api.storage, "stage_chunk", ended_meanwhile):
        problem(api.send(1, b"late", video_hash=video.video_hash), 409 if end == "expire" else 404)
    assert api.storage.staged_chunks(f"{video.video_hash}/original.mp4") == {}


def test_an_abandoned_upload_is_discarded_and_says_why(api: Api) -> None:
    video_hash = api.sent(0, b"a")["video_hash"]
    upload.expire(api.store, api.storage, api.store.video(video_hash))
    video = api.http.get(f"/videos/{video_hash}").json()
    assert (video["status"], video["error"]["stage"]) == ("failed", "upload")
    assert "not finished within 24 hours" in video["error"]["reason"]
    assert api.storage.staged_chunks(f"{video_hash}/original.mp4") == {}
    assert api.storage.list_paths("") == []


# -- servers away


def test_storage_that_is_away_is_told_with_a_time_to_come_back(api: Api, azurite: Azurite) -> None:
    video_hash = api.begun(b"a")
    with azurite.stopped():
        for answer in (api.send(0, b"a", 1, video_hash=video_hash), api.finalize(video_hash)):
            assert "azurite does not answer" in problem(answer, 503)["detail"]
            assert int(answer.headers["retry-after"]) > 0
        assert api.http.get("/health/live").status_code == 200
        health = api.http.get("/health")
        assert health.status_code == 503
        states = {name: server["state"] for name, server in health.json()["servers"].items()}
        assert states == {"database": "ok", "storage": "away"}
    assert api.finalize(video_hash).status_code == 200
    assert api.http.get("/health").status_code == 200


def test_the_database_that_is_away_loses_nothing(api: Api) -> None:
    video_hash = api.begun(b"a")
    away = DependencyAway(name="database", why="refused")
    with patch.object(api.store.database, "write", side_effect=away):
        problem(api.finalize(video_hash), 503)
    assert api.finalize(video_hash).status_code == 200
    assert api.original(video_hash) == b"a"


# -- the API's own process


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_upload_goes_on_after_the_api_was_killed(blob_settings: Settings, store: Store) -> None:
    settings = blob_settings.model_copy(update={"api_url": f"http://127.0.0.1:{free_port()}"})
    Storage(settings).ensure_container()
    with httpx.Client(base_url=settings.api_url, trust_env=False) as http:
        api = Api(http, settings, store, Storage(settings))
        with api_process(settings) as process:
            video_hash = api.sent(2, b"c")["video_hash"]
            process.send_signal(signal.SIGKILL)
        with api_process(settings):
            assert http.get(f"/videos/{video_hash}/upload").json()["missing"] == [[0, 1]]
            api.sent(0, b"a", video_hash=video_hash)
            api.sent(1, b"b", video_hash=video_hash)
            assert api.finalize(video_hash).status_code == 200
        assert api.original(video_hash) == b"abc"
