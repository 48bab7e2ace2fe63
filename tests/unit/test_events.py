"""What may travel on Kafka, and what may not."""

from __future__ import annotations

import pytest

from vidlab.events import Unreadable, new_message, read_message


def test_a_message_comes_back_as_it_was_sent() -> None:
    message = new_message("video_processing", "a" * 32, "etag", "00-x-y-01")
    assert read_message("video_processing", message.to_json().encode()) == message


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
