"""What travels on Kafka: one JSON message per hand-over, versioned, with an id of its own."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vidlab.errors import PermanentError
from vidlab.profiles import Topic

VERSION: Literal[1] = 1


class Unreadable(PermanentError):
    """The message cannot be read: {why}."""


class Message(BaseModel):
    """A hand-over: this video, with exactly these bytes, is ready for the next stage."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_id: str
    version: Literal[1] = VERSION
    type: Literal["video.uploaded", "video.normalised"]
    video_hash: str = Field(pattern=r"^[0-9a-f]{32}$")
    #: The ETag of the blob that is meant: a message about other bytes is ignored.
    source_etag: str
    created_at: datetime
    #: W3C trace context; the trace id is the video_hash.
    traceparent: str

    def to_json(self) -> str:
        return self.model_dump_json()


#: Which type of message a topic carries.
TYPES: dict[str, Literal["video.uploaded", "video.normalised"]] = {
    Topic.PREPROCESSING: "video.uploaded",
    Topic.PROCESSING: "video.normalised",
}


def new_message(topic: str, video_hash: str, source_etag: str, traceparent: str) -> Message:
    """A fresh message for that topic."""
    return Message(
        event_id=str(uuid.uuid4()),
        type=TYPES[topic],
        video_hash=video_hash,
        source_etag=source_etag,
        created_at=datetime.now(UTC),
        traceparent=traceparent,
    )


def read_message(topic: str, raw: bytes | None) -> Message:
    """Parse what stands on a topic. Raises Unreadable for all but the right type in a known version."""
    try:
        message = Message.model_validate_json(raw or b"")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unreadable(why=f"{where}: {first['msg']}" if where else first["msg"]) from error
    if message.type != TYPES[topic]:
        raise Unreadable(why=f"{message.type} does not belong on {topic}")
    return message
