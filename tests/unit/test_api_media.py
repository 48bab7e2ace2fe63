"""What is served, and how: ranges, ETags, types."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from tests.unit.asgi import Http
from tests.unit.rows import a_video
from vidlab.api.app import create_app
from vidlab.errors import BlobGone, UnknownVideo
from vidlab.models import Status
from vidlab.settings import Settings
from vidlab.storage import Blob, Opened

HASH = "h" * 32
SEGMENT = f"/media/{HASH}/hls/144p/segment_000.ts"
DATA = bytes(range(100))
ETAG = '"0x1"'


def blob(path: str) -> Blob:
    return Blob(path=path, bytes=len(DATA), etag=ETAG, fence=1, content_type="")


def opened(path: str, *, etag: str, offset: int, length: int) -> Opened:
    assert etag == ETAG
    return Opened(blob(path), iter([DATA[offset : offset + length]]))


@pytest.fixture
def store() -> Mock:
    made = Mock()
    made.video.return_value = a_video(video_hash=HASH)
    return made


@pytest.fixture
def storage() -> Mock:
    return Mock(head=Mock(side_effect=blob), open=Mock(side_effect=opened))


@pytest.fixture
def http(store: Mock, storage: Mock) -> Http:
    return Http(create_app(Settings(), storage, store))


@pytest.mark.parametrize(
    ("path", "mime_type", "cached"),
    [
        ("hls/master.m3u8", "application/vnd.apple.mpegurl", "no-cache"),
        ("hls/144p/playlist.m3u8", "application/vnd.apple.mpegurl", "no-cache"),
        ("hls/1080p/segment_123.ts", "video/mp2t", "public, max-age=31536000, immutable"),
        ("thumbnail.jpg", "image/jpeg", "no-cache"),
    ],
)
def test_a_completed_video_is_served(http: Http, path: str, mime_type: str, cached: str) -> None:
    answer = http.get(f"/media/{HASH}/{path}", headers={"Origin": "https://player.example"})
    assert (answer.status_code, answer.content) == (200, DATA)
    headers = {
        "content-type": mime_type,
        "content-length": "100",
        "cache-control": cached,
        "etag": ETAG,
        "accept-ranges": "bytes",
        "x-content-type-options": "nosniff",
        "access-control-allow-origin": "*",
    }
    assert headers.items() <= dict(answer.headers).items()


@pytest.mark.parametrize(
    "path",
    [
        "original.mp4",
        "source.mp4",
        "hls/",
        "hls/144p/segment_0.ts",
        "hls/144p/segment_000.ts/",
        "hls/../source.mp4",
        "hls/%2e%2e/source.mp4",
        "hls/..%2f..%2fother/hls/master.m3u8",
        "hls//master.m3u8",
        "HLS/master.m3u8",
        "hls/144p/../../original.mp4",
        "",
    ],
)
def test_nothing_else_is_served(http: Http, storage: Mock, path: str) -> None:
    assert http.get(f"/media/{HASH}/{path}").status_code == 404
    assert not storage.head.called


@pytest.mark.parametrize("status", [status for status in Status if status != Status.COMPLETED])
def test_only_completed_videos_are_served(http: Http, store: Mock, status: Status) -> None:
    store.video.return_value = a_video(status=status)
    assert http.get(SEGMENT).status_code == 404


def test_a_video_that_is_deleted_is_gone(http: Http, store: Mock, storage: Mock) -> None:
    storage.open.side_effect = BlobGone(path="x")
    assert http.get(SEGMENT).json()["error"] == "NoSuchMedia"
    storage.head.side_effect = lambda path: None
    assert http.get(SEGMENT).json()["error"] == "NoSuchMedia"
    store.video.side_effect = UnknownVideo(video_hash=HASH)
    assert http.get(SEGMENT).json()["error"] == "NoSuchMedia"


def test_head_tells_all_but_the_bytes(http: Http, storage: Mock) -> None:
    answer, whole = http.head(SEGMENT), http.get(SEGMENT)
    assert (answer.status_code, answer.content) == (200, b"")
    assert dict(answer.headers) == dict(whole.headers)
    assert storage.open.call_count == 1


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=90-", 90, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-1000", 0, 99),
        ("bytes=50-1000", 50, 99),
    ],
)
def test_a_range(http: Http, asked: str, first: int, last: int) -> None:
    answer = http.get(SEGMENT, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, DATA[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/100"
    head = http.head(SEGMENT, headers={"Range": asked})
    assert (head.status_code, dict(head.headers)) == (206, dict(answer.headers))


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside(http: Http, asked: str) -> None:
    answer = http.get(SEGMENT, headers={"Range": asked})
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */100")


#: More digits than Python makes a number of.
MANY = "9" * 5000
NOT_UNDERSTOOD = ["bytes=0-1,5-6", "bytes=-", "bytes=9-1", "bytes=a-b", "seconds=0-1", "bytes"]


@pytest.mark.parametrize("asked", [*NOT_UNDERSTOOD, f"bytes={MANY}-", f"bytes=0-{MANY}", f"bytes=-{MANY}"])
def test_a_range_that_is_not_understood_is_answered_with_everything(http: Http, asked: str) -> None:
    answer = http.get(SEGMENT, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, DATA)


@pytest.mark.parametrize(("condition", "status"), [(ETAG, 206), ('"0x2"', 200), (f"W/{ETAG}", 200)])
def test_a_range_of_other_bytes_is_answered_with_everything(http: Http, condition: str, status: int) -> None:
    answer = http.get(SEGMENT, headers={"Range": "bytes=0-1", "If-Range": condition})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("asked", "status"), [(ETAG, 304), (f'"other", W/{ETAG}', 304), ("*", 304), ('"other"', 200), ("", 200)]
)
def test_what_the_client_has_is_not_sent_again(http: Http, asked: str, status: int) -> None:
    answer = http.get(SEGMENT, headers={"If-None-Match": asked})
    assert answer.status_code == status
    assert answer.headers["etag"] == ETAG
    assert bool(answer.content) == (status == 200)


def test_storage_that_goes_away_half_way_breaks_the_answer_off(http: Http, storage: Mock) -> None:
    def broken(*_: Any, **__: Any) -> Opened:
        def pieces() -> Any:
            yield DATA[:10]
            raise BlobGone(path="x")

        return Opened(blob("x"), pieces())

    storage.open.side_effect = broken
    with pytest.raises(RuntimeError, match="already started"):
        http.get(SEGMENT)
