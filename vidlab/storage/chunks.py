"""Uploads: chunks are staged as blocks of the final blob, in any order, and committed once by one block list.

The list is committed with If-None-Match, so that it happens once whoever asks: a second commit of the same list would
take blocks that were staged in between, and the bytes would change after the scan.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, Self

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobBlock, BlockState, ContentSettings

from vidlab.errors import BlobGone
from vidlab.storage.account import Blob, code_of
from vidlab.storage.blobs import Blobs

DIGITS = 5  # of a block id; Azure wants all ids of a blob to be equally long, and takes 50,000 blocks


def _block_id(chunk: int) -> str:
    """The SDK sends it as base64."""
    return f"{chunk:0{DIGITS}d}"


class _Body:
    """The bytes of one request, as the SDK reads them. It copies what it tries again; a spool file has no copy."""

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self.read, self.seek, self.tell = stream.read, stream.seek, stream.tell
        self._stream, self._length = stream, length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def __deepcopy__(self, _memo: object) -> Self:
        return self


class Chunks(Blobs):
    """The original of a video while it comes in."""

    def stage_chunk(self, path: str, chunk: int, stream: BinaryIO, length: int) -> None:
        """Stage one chunk; staged again it replaces itself. The stream is read from where it stands."""
        with self.told(path):
            self.container.get_blob_client(path).stage_block(_block_id(chunk), _Body(stream, length), length)

    def staged_chunks(self, path: str) -> dict[int, int]:
        """Chunk -> its bytes, of those that are staged, or that make up the blob once it is committed."""
        with self.told(path):
            try:
                committed, staged = self.container.get_blob_client(path).get_block_list("all")
            except ResourceNotFoundError as error:
                if code_of(error) == "BlobNotFound":
                    return {}
                raise
        return {int(block.id): block.size for block in committed or staged}

    def commit_chunks(self, path: str, total: int, content_type: str) -> Blob:
        """Make the blob of its chunks. What was committed before is returned as it is.

        Raises BlobGone when chunks are missing, or when the upload was discarded.
        """
        blocks = [BlobBlock(_block_id(chunk), BlockState.UNCOMMITTED) for chunk in range(total)]
        with self.told(path):
            try:
                self.container.get_blob_client(path).commit_block_list(
                    blocks,
                    content_settings=ContentSettings(content_type=content_type),
                    match_condition=MatchConditions.IfMissing,
                )
            except ResourceExistsError:
                pass  # someone was first
            except HttpResponseError as error:
                if code_of(error) != "InvalidBlockList":
                    raise
                raise BlobGone(path=path) from error
        blob = self.head(path)
        if blob is None or not blob.bytes:
            raise BlobGone(path=path)
        return blob

    def discard_upload(self, path: str) -> bool:
        """Forget what is staged. False when the upload was committed before: then nothing is touched.

        The empty list is committed with If-None-Match, so that either this or the real commit is first, never both.
        Then the empty blob is deleted with If-Match. One that a crash left in between has no bytes, which an original
        never has: no chunk is empty.
        """
        client = self.container.get_blob_client(path)
        with self.told(path):
            try:
                etag = str(client.commit_block_list([], match_condition=MatchConditions.IfMissing)["etag"])
            except ResourceExistsError:
                blob = self.head(path)
                if blob is None:
                    return True
                if blob.bytes:
                    return False
                etag = blob.etag
            with suppress(ResourceNotFoundError, ResourceModifiedError):
                client.delete_blob(etag=etag, match_condition=MatchConditions.IfNotModified)
        return True
