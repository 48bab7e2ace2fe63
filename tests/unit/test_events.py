"""What may travel on Kafka, and what may not."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from vidlab.events import Unreadable, new_message, read_message


def test_a_message_comes_back_as_it_was_sent() -> None:
    message = new_message("video_processing", "a" * 32, "etag", "00-x-y-01")
    assert read_message("video_processing", message.to_json().encode()) == message


@pytest.mark.parametrize(
    ("topic", "kind"), [("video_preprocessing", "video.uploaded"), ("video_processing", "video.normalised")]
)
def test_a_message_has_these_fields_and_no_others(topic: str, kind: str) -> None:
    sent = json.loads(new_message(topic, "a" * 32, '"0x8D"', "00-x-y-01").to_json())
    assert sent | {"event_id": "", "created_at": ""} == {
        "event_id": "",
        "version": 1,
        "type": kind,
        "video_hash": "a" * 32,
        "source_etag": '"0x8D"',
        "created_at": "",
        "traceparent": "00-x-y-01",
    }
    assert UUID(sent["event_id"])
    assert datetime.fromisoformat(sent["created_at"]).utcoffset() == timedelta(0)


def test_each_message_has_an_id_of_its_own() -> None:
    words = ("video_processing", "a" * 32, "etag", "00-x-y-01")
    assert new_message(*words).event_id != new_message(*words).event_id


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "Invalid JSON"),
        (None, "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[]", "Input should be"),
        (b'{"version": 1}', "event_id"),
    ],
)
def test_what_cannot_be_read_says_why(raw: bytes | None, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_message("video_processing", raw)


def test_an_unknown_version_and_a_wrong_type_are_refused() -> None:
    good = new_message("video_processing", "a" * 32, "etag", "00-x-y-01")
    with pytest.raises(Unreadable, match="version"):
        read_message("video_processing", good.to_json().replace('"version":1', '"version":2').encode())
    with pytest.raises(Unreadable, match=r"video.normalised does not belong on video_preprocessing"):
        read_message("video_preprocessing", good.to_json().encode())
