"""A completed video is fetched as players do it, from a real Azurite over real HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx
import pytest

from tests.azurite import Azurite
from tests.integration.test_store import claimed, preprocessed
from tests.serving import serving
from vidlab import paths
from vidlab.api.app import create_app
from vidlab.profiles import Size
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.storage.reading import SERVED
from vidlab.store import Store

SEGMENT = os.urandom(2 * SERVED + 4321)


@pytest.fixture
def completed(store: Store, storage: Storage) -> str:
    return completed_video(store, storage)


def completed_video(store: Store, storage: Storage) -> str:
    """A video with one rendition, and files that are nobody's business."""
    video_hash = preprocessed(store, Size(256, 144))
    lease = claimed(store, video_hash, "144p")
    for path, data in (
        (f"{paths.rendition_prefix(video_hash, '144p')}segment_000.ts", SEGMENT),
        (paths.master_path(video_hash), b"#EXTM3U"),
        (paths.source_path(video_hash), b"source"),
        (paths.original_path(video_hash, "mp4"), b"original"),
    ):
        storage.put_fenced(path, data, fence=1, content_type="")
    store.finish_rendition(lease, {})
    master = store.finish_rendition(claimed(store, video_hash, "thumbnail"), {})
    assert master
    store.finish_master(master, paths.media_path(paths.master_path(video_hash)))
    return video_hash


@pytest.fixture
def http(settings: Settings, storage: Storage, store: Store) -> Iterator[httpx.Client]:
    app = create_app(settings, storage, store)
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def test_the_master_is_found_where_the_video_says(http: httpx.Client, completed: str) -> None:
    video = http.get(f"/videos/{completed}").json()
    assert video["status"] == "completed"
    path = httpx.URL(video["master_url"]).path
    assert http.get(path).content == b"#EXTM3U"


def test_a_segment_comes_whole_in_parts_and_not_twice(http: httpx.Client, completed: str) -> None:
    path = f"/media/{completed}/hls/144p/segment_000.ts"
    whole = http.get(path)
    assert whole.content == SEGMENT
    head = http.head(path)
    assert (head.status_code, int(head.headers["content-length"])) == (200, len(SEGMENT))
    part = http.get(path, headers={"Range": f"bytes=5-{SERVED + 5}"})
    assert (part.status_code, part.content) == (206, SEGMENT[5 : SERVED + 6])
    assert part.headers["content-range"] == f"bytes 5-{SERVED + 5}/{len(SEGMENT)}"
    known = http.get(path, headers={"If-None-Match": whole.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


def test_what_the_user_sent_is_not_served(http: httpx.Client, completed: str) -> None:
    for path in ("original.mp4", "source.mp4", "hls/../source.mp4"):
        assert http.get(f"/media/{completed}/{path}").status_code == 404


def test_a_deleted_video_is_gone_for_everyone_at_once(http: httpx.Client, completed: str) -> None:
    path = f"/media/{completed}/hls/master.m3u8"
    assert http.get(path).status_code == 200
    assert http.delete(f"/videos/{completed}").status_code == 202
    for answer in (
        http.get(path),
        http.get(f"/videos/{completed}"),
        http.get(f"/videos/{completed}/upload"),
        http.post(f"/videos/finalize/{completed}"),
        http.post(f"/videos/{completed}/retry"),
        http.delete(f"/videos/{completed}"),
    ):
        assert answer.status_code == 404
    assert http.get("/videos").json()["items"] == []


def test_storage_that_is_away_is_not_a_video_that_is_gone(http: httpx.Client, completed: str, azurite: Azurite) -> None:
    with azurite.stopped():
        answer = http.get(f"/media/{completed}/hls/master.m3u8")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert http.get(f"/media/{completed}/hls/master.m3u8").status_code == 200


def test_pages_keep_their_place_while_videos_come(http: httpx.Client, store: Store) -> None:
    facts = {"total_chunks": 1, "filename": "a", "extension": "mp4", "title": "", "idempotency_key": None}
    made = [store.create_upload(**facts).video_hash for _ in range(5)]  # type: ignore[arg-type]
    first = http.get("/videos?limit=2").json()
    store.create_upload(**facts)  # type: ignore[arg-type]
    second = http.get(f"/videos?limit=2&cursor={first['next']}").json()
    third = http.get(f"/videos?limit=2&cursor={second['next']}").json()
    seen = [item["video_hash"] for page in (first, second, third) for item in page["items"]]
    assert seen == made[::-1]
    assert third["next"] is None
    assert http.get("/videos?status=completed").json()["items"] == []
