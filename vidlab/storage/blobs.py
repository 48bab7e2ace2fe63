"""Whole blobs: what is there, what the pipeline writes, and what is removed.

A worker that was stopped, lost its lease and wakes again must not change a published file. So each output carries its
attempt's fence: it is written when nothing is there, and replaced only by a higher fence, each time on the condition
that nobody else wrote in between.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobClient, BlockState, ContentSettings

from vidlab.ahead import bounded_map
from vidlab.errors import DependencyAway, FencedOff
from vidlab.paths import kind_of
from vidlab.storage.account import FENCE, Account, Blob, code_of

BLOCK = 8 * 1024 * 1024  # bytes; what is not larger goes in one request
AT_ONCE = 3  # blocks; measured: one after the other takes a fifth longer, more gain nothing
AT_A_TIME = 8  # small requests at once
WRITERS = 20  # so many others may write the same blob in between before it is given up
PING = 1.0  # seconds


class Blobs(Account):
    """Blobs by their paths."""

    def ensure_container(self) -> None:
        """Make the container, unless it is there."""
        with self.told(), suppress(ResourceExistsError):
            self.container.create_container()

    def ping(self) -> None:
        """Ask for the container, quickly and once. Raises DependencyAway."""
        with self.told():
            self.container.get_container_properties(retry_total=0, connection_timeout=PING, read_timeout=PING)

    def head(self, path: str) -> Blob | None:
        """What is known of a committed blob, without its bytes."""
        with self.told(path):
            try:
                return Blob.of(path, self.container.get_blob_client(path).get_blob_properties())
            except ResourceNotFoundError as error:
                if code_of(error) == "ContainerNotFound":
                    raise
                return None

    def list_paths(self, prefix: str) -> list[str]:
        """The paths of all committed blobs that begin like this."""
        with self.told(prefix):
            return list(self.container.list_blob_names(name_starts_with=prefix))

    def list_blobs(self, prefix: str = "") -> list[Blob]:
        """All committed blobs that begin like this, with what is known of each."""
        with self.told(prefix):
            found = self.container.list_blobs(name_starts_with=prefix, include=["metadata"])
            return [Blob.of(one.name, one) for one in found]

    def uncommitted(self, prefix: str = "") -> dict[str, int]:
        """Path -> how many blocks are staged there and not committed; also of blobs that are committed otherwise."""
        with self.told(prefix):
            names = [one.name for one in self.container.list_blobs(prefix, include=["uncommittedblobs"])]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            counts = dict(zip(names, pool.map(self._uncommitted_of, names), strict=True))
        return {path: count for path, count in counts.items() if count}

    def _uncommitted_of(self, path: str) -> int:
        with self.told(path), suppress(ResourceNotFoundError):
            return len(self.container.get_blob_client(path).get_block_list("uncommitted")[1])
        return 0

    def delete_prefix(self, prefix: str) -> int:
        """Delete all committed blobs below a folder, and tell how many there were."""
        if not prefix.strip("/") or not prefix.endswith("/"):
            raise ValueError(f"{prefix!r} is not a folder")
        paths = self.list_paths(prefix)
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            return sum(pool.map(self._delete, paths))

    def _delete(self, path: str) -> bool:
        with self.told(path), suppress(ResourceNotFoundError):
            self.container.delete_blob(path)
            return True
        return False

    # -- outputs

    def put_fenced(self, path: str, data: bytes | BinaryIO | Path, *, fence: int, content_type: str) -> Blob:
        """Write an output, unless a later attempt has; what this attempt has written before is left as it is.

        Raises FencedOff when a later attempt has, and for a blob without a fence: what a user sent is never replaced.
        """
        settings = ContentSettings(content_type=content_type, cache_control=kind_of(path).cache_control)
        facts = {"metadata": {FENCE: str(fence)}, "content_settings": settings}
        with _opened(data) as stream, self.told(path):
            begin, size = stream.tell(), _size(stream)
            # A large file is not sent for nothing: look first.
            there = self.head(path) if size > BLOCK else None
            for _ in range(WRITERS):
                if there and there.fence == fence:
                    return there
                if there and (there.fence is None or there.fence > fence):
                    raise FencedOff(path=path)
                stream.seek(begin)
                if etag := self._write(path, stream, fence, there, facts):
                    return Blob(path=path, bytes=size, etag=etag, fence=fence, content_type=content_type)
                there = self.head(path)
        raise DependencyAway(name=self.name, why=f"{path} was written by others again and again")

    def _write(self, path: str, stream: BinaryIO, fence: int, over: Blob | None, facts: dict[str, Any]) -> str | None:
        """Write if the blob still is as it was seen, and give the new ETag. None when it is not."""
        client = self.container.get_blob_client(path)
        if over:
            facts = facts | {"etag": over.etag, "match_condition": MatchConditions.IfNotModified}
        else:
            facts = facts | {"match_condition": MatchConditions.IfMissing}
        try:
            first = stream.read(BLOCK)
            if len(first) < BLOCK:
                return str(client.upload_blob(first, overwrite=over is not None, **facts)["etag"])
            return str(client.commit_block_list(_staged(client, first, stream, fence), **facts)["etag"])
        except (ResourceExistsError, ResourceModifiedError):
            return None
        except HttpResponseError as error:
            if code_of(error) != "InvalidBlockList":
                raise
            return None  # whoever committed in between has discarded our blocks


def _size(stream: BinaryIO) -> int:
    """What is left of it, in bytes; it stands at its end then."""
    begin = stream.tell()
    return stream.seek(0, io.SEEK_END) - begin


def _staged(client: BlobClient, first: bytes, stream: BinaryIO, fence: int) -> list[BlobBlock]:
    """Stage a large file. The ids hold the fence, so that two attempts at once never mix their blocks."""

    def stage(numbered: tuple[int, bytes]) -> BlobBlock:
        number, piece = numbered
        block = BlobBlock(f"{fence:010d}-{number:05d}", BlockState.UNCOMMITTED)
        client.stage_block(block.id, piece, len(piece))
        return block

    return list(bounded_map(stage, enumerate(_pieces(first, stream)), AT_ONCE))


def _pieces(first: bytes, stream: BinaryIO) -> Iterator[bytes]:
    piece = first
    while piece:
        yield piece
        piece = stream.read(BLOCK)


@contextmanager
def _opened(data: bytes | BinaryIO | Path) -> Iterator[BinaryIO]:
    if isinstance(data, Path):
        with data.open("rb") as stream:
            yield stream
    else:
        yield io.BytesIO(data) if isinstance(data, bytes) else data
