"""How a video comes in: chunks in any order, then one commit and one transaction. The order makes each crash safe.

chunk      The row comes first: its unique key ties first chunks together that come at the same moment. Then the chunk
           is staged, and the row is looked at again: a chunk that was too late for its upload cleans up after itself.
           A crash leaves a row and blocks that the client goes on with, or that expire.
finalize   The block list is committed first, once and for all; then row, job and outbox message in one transaction.
           A crash in between leaves a committed blob: finalize called again finds it and goes on, and so does the
           keeper when the upload expires.
the end    Of an upload that cannot go on the blocks are discarded first, then the row fails, and once more what was
           staged in between is discarded. Discarding and committing exclude each other: both write the blob on the
           condition that it is not there. Who commits first has the video finalized, whoever asked for what.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO

import structlog

from vidlab.errors import BadChunk, BlobGone, ChunksMissing, TooLarge, UnknownVideo, WrongState
from vidlab.filenames import clean_filename, clean_title, extension_of, title_from
from vidlab.models import Status, Video
from vidlab.paths import original_path, video_prefix
from vidlab.ranges import Run, in_words, runs
from vidlab.settings import MIB, Settings
from vidlab.storage import Storage
from vidlab.store import Store

log = structlog.get_logger()

#: Nothing is known yet of what the user sent, and nobody is served it.
ORIGINAL_TYPE = "application/octet-stream"


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A piece of a file, checked for its form."""

    number: int
    total: int
    stream: BinaryIO
    bytes: int
    filename: str
    title: str
    #: None in the first call.
    video_hash: str | None
    #: Ties calls together that do not know the video_hash yet.
    idempotency_key: str | None
    #: In hex.
    sha256: str | None


@dataclass(frozen=True, kw_only=True)
class Received:
    """How far an upload is."""

    video: Video
    #: Chunk -> bytes.
    chunks: dict[int, int]

    @property
    def bytes(self) -> int:
        return sum(self.chunks.values())

    @property
    def received(self) -> list[Run]:
        return runs(self.chunks)

    @property
    def missing(self) -> list[Run]:
        return runs(number for number in range(self.video.total_chunks) if number not in self.chunks)


@dataclass(frozen=True)
class Uploads:
    """What the uploads of one process go through."""

    settings: Settings
    store: Store
    storage: Storage

    # -- chunks

    def receive(self, chunk: Chunk) -> Received:
        """Check and stage a chunk. Raises BadChunk with nothing stored, WrongState, TooLarge, DependencyAway."""
        _check_bytes(chunk)
        video = self._video_of(chunk)
        if video.status != Status.UPLOADING:
            raise _over(video)
        if video.total_chunks != chunk.total:
            why = f"it was begun with {video.total_chunks} chunks, and now there are said to be {chunk.total}."
            raise WrongState(video_hash=video.video_hash, status=video.status, why=why)
        self.storage.stage_chunk(_path(video), chunk.number, chunk.stream, chunk.bytes)
        return self._look_again(video)

    def _video_of(self, chunk: Chunk) -> Video:
        if chunk.video_hash:
            return self.store.video(chunk.video_hash)
        filename = clean_filename(chunk.filename)
        return self.store.create_upload(
            total_chunks=chunk.total,
            filename=filename,
            extension=extension_of(filename),
            title=clean_title(chunk.title) or title_from(filename),
            idempotency_key=chunk.idempotency_key,
        )

    def _look_again(self, before: Video) -> Received:
        """What is there now. The upload may have ended while the chunk was on its way."""
        try:
            video = self.store.video(before.video_hash)
        except UnknownVideo:
            discard(self.storage, before)
            raise
        if video.status != Status.UPLOADING:
            discard(self.storage, video)
            raise _over(video)
        received = Received(video=video, chunks=self.storage.staged_chunks(_path(video)))
        self._check_size(received)
        return received

    def _check_size(self, received: Received) -> None:
        limit = self.settings.max_file_bytes
        if received.bytes <= limit:
            return
        error = TooLarge(what="The file", size=received.bytes, limit=limit, setting="VIDLAB_MAX_FILE_BYTES")
        if give_up(self.store, self.storage, received.video, str(error)):
            raise error
        raise _over(self.store.video(received.video.video_hash))

    def progress(self, video_hash: str) -> Received:
        """What is there and what is missing. Raises UnknownVideo."""
        video = self.store.video(video_hash)
        if video.finalized_at:
            return Received(video=video, chunks=_all_of(video))
        return Received(video=video, chunks=self.storage.staged_chunks(_path(video)))

    # -- finalize

    def finalize(self, video_hash: str) -> Video:
        """Make the original of its chunks and hand it to preprocessing; called again it only tells.

        Raises ChunksMissing, WrongState when the upload failed, UnknownVideo, TooLarge, DependencyAway.
        """
        video = self.store.video(video_hash)
        if video.finalized_at:
            return video
        if video.status != Status.UPLOADING:
            raise _over(video)
        received = self.progress(video_hash)
        _check_complete(received)
        self._check_size(received)
        try:
            finalized = commit(self.store, self.storage, video)
        except BlobGone:  # discarded in between
            _check_complete(self.progress(video_hash))
            raise
        if not finalized.finalized_at:
            raise _over(finalized)
        return finalized


def commit(store: Store, storage: Storage, video: Video) -> Video:
    """Commit the blocks, then the row. Raises BlobGone when there are none, UnknownVideo when it was deleted."""
    blob = storage.commit_chunks(_path(video), video.total_chunks, ORIGINAL_TYPE)
    try:
        finalized = store.finalize(video.video_hash, source_etag=blob.etag, bytes=blob.bytes)
    except UnknownVideo:
        storage.delete_prefix(video_prefix(video.video_hash))  # deleted in between, and perhaps swept before the commit
        raise
    log.info("finalized", video_hash=video.video_hash, bytes=blob.bytes, chunks=video.total_chunks)
    return finalized


# -- uploads that do not go on


def discard(storage: Storage, video: Video) -> bool:
    """Forget the staged chunks of an upload. False when it was committed: then nothing is touched."""
    return storage.discard_upload(_path(video))


def give_up(store: Store, storage: Storage, video: Video, reason: str) -> bool:
    """End an upload as failed. False when its commit was first: then it is finalized instead."""
    if not discard(storage, video):
        commit(store, storage, video)
        return False
    store.fail_upload(video.video_hash, reason)
    discard(storage, video)
    log.info("upload failed", video_hash=video.video_hash, reason=reason)
    return True


def expire(store: Store, storage: Storage, video: Video) -> None:
    """End an upload that nobody finished in time."""
    hours = store.settings.upload_expiry_seconds / 3600
    give_up(store, storage, video, f"The upload was not finished within {hours:g} hours; send the file again.")


# -- checks


def _check_bytes(chunk: Chunk) -> None:
    if not chunk.bytes:
        raise BadChunk(why="it is empty")
    if chunk.sha256 and _sha256(chunk.stream) != chunk.sha256.lower():
        raise BadChunk(why="its SHA-256 is not the one that was sent with it")


def _sha256(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := stream.read(MIB):
        digest.update(piece)
    stream.seek(0)
    return digest.hexdigest()


def _check_complete(received: Received) -> None:
    if received.missing:
        video = received.video
        facts = {"total": video.total_chunks, "missing": in_words(received.missing), "ranges": received.missing}
        raise ChunksMissing(video_hash=video.video_hash, **facts)


def _over(video: Video) -> WrongState:
    why = f"the upload failed: {video.error_reason}" if video.error_stage == "upload" else "its upload is over."
    return WrongState(video_hash=video.video_hash, status=video.status, why=why)


def _path(video: Video) -> str:
    return original_path(video.video_hash, video.extension)


def _all_of(video: Video) -> dict[int, int]:
    """The chunks of an upload that is over; how large each was is forgotten, the sum is not."""
    return dict.fromkeys(range(video.total_chunks), 0) | {0: video.bytes or 0}
