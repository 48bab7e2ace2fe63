"""Uploads as the system does it that VidLab re-thinks: a number beside the chunks. Wrong on purpose, and real.

The rows are hashes in the lab's Redis, the chunks blobs in its Azurite, in a container of their own, the messages go to
a topic of its Kafka. What is wrong: a chunk is counted each time that it comes; the number is read, and written back
later; whoever has the same title and as many chunks gets the same id; nobody looks at the bytes; who finalizes looks
first, and notes it later; and it notes that it is done before it has told the pipeline.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Collection
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import redis
from azure.core.exceptions import ResourceNotFoundError
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from vidlab.bus import Bus
from vidlab.errors import DependencyAway, WrongState
from vidlab.face.waiting import until
from vidlab.observe.kafka import end_of
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.topology import make_topics

PREFIX = "naive:upload:"  # of its keys in Redis
CONTAINER = "naive-upload"  # beside the lab's own, so that the lab's checker has nothing to do with it
TOPIC = "naive-upload-"  # how the names of its topics begin
DIGITS = 5  # of a chunk's number in the name of its blob
ANSWER = 30.0  # seconds in which Kafka must answer, also when it has just come back


class NaiveUploads:
    """Chunks, and how many there are said to be. As a context manager it leaves nothing behind, however it ends."""

    def __init__(self, settings: Settings, *, atomic: bool = False) -> None:
        """`atomic`: Redis adds one by itself, instead of being read and written."""
        self.atomic = atomic
        self.redis = redis.Redis.from_url(settings.redis_url, decode_responses=True)
        self.storage = Storage(settings.model_copy(update={"container": CONTAINER}))
        self.storage.ensure_container()
        self.topic = f"{TOPIC}{secrets.token_hex(4)}"
        make_topics(settings, [self.topic])
        self.bus = Bus(settings)
        self.settings = settings
        self._made: set[str] = set()
        self._moved: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            for upload in self._made:
                _forget(self.redis, self.storage, upload)
            with suppress(DependencyAway):  # then `sweep` removes it
                _forget_topics(self.settings, [self.topic])
        finally:
            self.storage.close()
            self.redis.close()

    # -- the three calls

    def receive(self, title: str, total: int, number: int, piece: bytes) -> str:
        """Store a chunk, count it, and give the upload's id."""
        upload = hashlib.sha256(f"{title}{total}".encode()).hexdigest()[:32]
        self._made.add(upload)
        counted = self.counted(upload)
        self._put(f"{upload}/chunk_{number:0{DIGITS}d}", piece)
        self._write(upload, counted + 1, total)
        return upload

    def counted(self, upload: str) -> int:
        """How many chunks there are, it believes."""
        return int(self.redis.hget(PREFIX + upload, "uploaded_chunks") or 0)

    def finalize(self, upload: str) -> bytes:
        """Join the chunks and tell the pipeline. Raises WrongState, and DependencyAway when Kafka does not answer."""
        row = self._row(upload)
        if row.get("status") == "finalized":
            raise WrongState(video_hash=upload, status="finalized", why="it was finalized already.")
        if row["uploaded_chunks"] != row["total_chunks"]:
            why = f"{row['uploaded_chunks']}/{row['total_chunks']} chunks are there."
            raise WrongState(video_hash=upload, status="uploading", why=why)
        file = self._joined(upload)
        self.redis.hset(PREFIX + upload, "status", "finalized")
        self.bus.publish(self.topic, upload, f"{upload}/file.mp4")
        return file

    def messages(self) -> int:
        """How often the pipeline was told to begin: what stands on its topic. Raises NotThere."""
        told: list[int] = []

        def answered() -> bool:
            with suppress(DependencyAway):  # a Kafka that has just come back does not know its partitions yet
                told.append(end_of(self.settings, self.topic))
            return bool(told)

        until(answered, f"Kafka to tell what stands on {self.topic}", ANSWER)
        return told[0]

    @property
    def moved(self) -> int:
        """Bytes that went to the blob store or came from there."""
        return sum(self._moved)

    # -- below

    def _row(self, upload: str) -> dict[str, str]:
        found: dict[Any, Any] = self.redis.hgetall(PREFIX + upload)
        return found

    def _write(self, upload: str, counted: int, total: int) -> None:
        if self.atomic:
            self.redis.hincrby(PREFIX + upload, "uploaded_chunks", 1)
        else:
            self.redis.hset(PREFIX + upload, "uploaded_chunks", str(counted))
        self.redis.hset(PREFIX + upload, "total_chunks", str(total))

    def _put(self, path: str, content: bytes) -> None:
        with self.storage.told(path):
            self.storage.container.get_blob_client(path).upload_blob(content, overwrite=True)
        self._moved.append(len(content))

    def _joined(self, upload: str) -> bytes:
        """All chunks come back to the API and go out again as one file."""
        pieces = [b"".join(self.storage.open(path)) for path in self.storage.list_paths(f"{upload}/chunk_")]
        self._moved.extend(map(len, pieces))
        self._put(f"{upload}/file.mp4", b"".join(pieces))
        return b"".join(pieces)


def _forget(client: redis.Redis, storage: Storage, upload: str) -> None:
    client.delete(PREFIX + upload)
    storage.delete_prefix(f"{upload}/")


def _forget_topics(settings: Settings, names: Collection[str] | None = None) -> None:
    """Remove these topics, or all that naive uploads made. Raises DependencyAway."""
    admin = AdminClient(dict(settings.kafka_client), logger=logging.getLogger("librdkafka"))
    try:
        if names is None:
            names = [name for name in admin.list_topics(timeout=ANSWER).topics if name.startswith(TOPIC)]
        for answer in admin.delete_topics(list(names), operation_timeout=ANSWER).values() if names else ():
            answer.result(ANSWER + 1)
    except (KafkaException, TimeoutError) as error:
        raise DependencyAway(name="kafka", why=str(error)) from error


def sweep(settings: Settings) -> int:
    """Remove whatever naive uploads left, also those of a kernel that was killed; give how many keys and blobs."""
    _forget_topics(settings)
    storage = Storage(settings.model_copy(update={"container": CONTAINER}))
    with redis.Redis.from_url(settings.redis_url, decode_responses=True) as client:
        keys = list(client.scan_iter(f"{PREFIX}*"))
        gone = sum(int(client.delete(key)) for key in keys)
    try:
        with storage.told(), suppress(ResourceNotFoundError):
            gone += sum(1 for _ in storage.container.list_blob_names())
            storage.container.delete_container()
    finally:
        storage.close()
    return gone
