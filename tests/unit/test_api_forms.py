"""The form of a chunk: what is refused is refused before anything is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from tests.unit.asgi import Http
from tests.unit.rows import a_video
from vidlab.api.app import create_app
from vidlab.models import Status
from vidlab.settings import Settings

GOOD = {"chunk": "0", "total_chunks": "1"}
FILE = {"file": ("a.mp4", b"bytes")}


class Stub:
    """The API with a database and a storage that only remember what they were asked."""

    def __init__(self, tmp_path: Path) -> None:
        self.store = Mock()
        self.store.create_upload.return_value = self.store.video.return_value = a_video(status=Status.UPLOADING)
        self.storage = Mock()
        self.storage.staged_chunks.return_value = {0: 5}
        settings = Settings(state=tmp_path, max_chunk_bytes=1000, max_chunks=50)
        self.http = Http(create_app(settings, self.storage, self.store))

    def refuses(self, status: int, detail: str, **request: Any) -> None:
        answer = self.http.post("/videos/upload", **request)
        assert answer.status_code == status, answer.text
        assert detail in answer.json()["detail"]
        assert not self.store.create_upload.called
        assert not self.storage.stage_chunk.called


@pytest.fixture
def api(tmp_path: Path) -> Stub:
    return Stub(tmp_path)


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"chunk": ""}, "`chunk` is missing"),
        ({"chunk": "one"}, "`chunk` must be a whole number, and is 'one'"),
        ({"chunk": "-1"}, "`chunk` must be a whole number"),
        ({"chunk": "1.0"}, "`chunk` must be a whole number"),
        ({"chunk": "٣"}, "`chunk` must be a whole number"),
        ({"chunk": "9" * 5000}, "`chunk` must be a whole number"),
        ({"chunk": "1"}, "`chunk` is 1, and of 1 chunks the last one is 0"),
        ({"total_chunks": "0"}, "`total_chunks` is 0, and must be from 1 to 50"),
        ({"total_chunks": "51"}, "`total_chunks` is 51, and must be from 1 to 50"),
        ({"sha256": "abc"}, "`sha256` must be 64 hexadecimal digits"),
        ({"sha256": "0" * 64}, "its SHA-256 is not the one that was sent with it"),
        ({"title": "t" * 201}, "`title` has 201 characters, and at most 200 are taken"),
        ({"title": "t" * 20_000}, "Part exceeded maximum size"),
    ],
)
def test_a_field_that_does_not_fit(api: Stub, fields: dict[str, str], detail: str) -> None:
    api.refuses(422, detail, data=GOOD | fields, files=FILE)


def test_no_form_no_file_no_bytes(api: Stub) -> None:
    api.refuses(422, "the request is not multipart/form-data", content=b"bytes")
    api.refuses(422, "the request is not multipart/form-data", json={})
    headers = {"Content-Type": "multipart/form-data"}
    api.refuses(422, "Missing boundary", content=b"bytes", headers=headers)
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    api.refuses(422, "Nothing was stored.", content=b"no form at all", headers=headers)
    api.refuses(422, "no file in its part `file`", data=GOOD | {"file": "text"}, files={"other": FILE["file"]})
    api.refuses(422, "it is empty", data=GOOD, files={"file": ("a.mp4", b"")})
    api.refuses(422, "Too many files", data=GOOD, files=[("file", FILE["file"])] * 2)


def test_a_key_that_is_too_long(api: Stub) -> None:
    api.refuses(422, "Idempotency-Key has 256", data=GOOD, files=FILE, headers={"Idempotency-Key": "k" * 256})


@pytest.mark.parametrize("size", [1001, 100_000])
def test_a_chunk_that_is_too_large(api: Stub, size: int) -> None:
    api.refuses(413, "at most 1000 are taken", data=GOOD, files={"file": ("a.mp4", b"x" * size)})


def test_the_largest_chunk_that_is_taken(api: Stub) -> None:
    answer = api.http.post("/videos/upload", data=GOOD, files={"file": ("a.mp4", b"x" * 1000)})
    assert answer.status_code == 200


def test_the_fields_may_come_after_the_file(api: Stub) -> None:
    parts = [
        ("file", FILE["file"]),
        ("total_chunks", (None, "1")),
        ("chunk", (None, "0")),
        ("title", (None, "A\nclip")),
    ]
    answer = api.http.post("/videos/upload", files=parts)
    assert answer.status_code == 200, answer.text
    (asked,) = api.store.create_upload.call_args_list
    assert asked.kwargs == {
        "total_chunks": 1,
        "filename": "a.mp4",
        "extension": "mp4",
        "title": "Aclip",
        "idempotency_key": None,
    }


def test_the_form_is_documented(api: Stub) -> None:
    described = api.http.get("/openapi.json").json()["paths"]["/videos/upload"]["post"]
    form = described["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"file", "chunk", "total_chunks", "video_hash", "title", "sha256"}
    assert [one["name"] for one in described["parameters"]] == ["Idempotency-Key"]


def test_the_documentation_needs_nobody_else(api: Stub) -> None:
    page = api.http.get("/docs").text
    assert "//" not in page.replace("<!--", "").split("<script>")[0]
    assert api.http.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200
