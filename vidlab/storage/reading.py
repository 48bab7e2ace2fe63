"""Reading: in large ranges, several of them under way at once, each on the condition that the blob is still the same.

No connection is held between two ranges, so that a reader that stops half way leaves nothing open.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobProperties

from vidlab.ahead import bounded_map
from vidlab.errors import BlobGone
from vidlab.storage.account import RANGE, Account, Blob, code_of

SERVED = 1024 * 1024  # bytes held for each client that is served
READ_AHEAD = 3  # ranges
DOWNLOADS = 4  # ranges at once


class Opened:
    """A blob, or a part of it, as pieces. The first is there when this is made: what can fail has failed by then."""

    def __init__(self, blob: Blob, pieces: Iterator[bytes]) -> None:
        self.blob = blob
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces


class Reader(io.RawIOBase):
    """A blob as a file that is read from its beginning; the next ranges are on their way meanwhile."""

    def __init__(self, blob: Blob, ranges: Iterator[bytes]) -> None:
        self.blob = blob
        self._ranges = ranges
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """At most so much as the range in hand still has."""
        if not self._rest:
            self._rest = memoryview(next(self._ranges, b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._ranges.close()  # type: ignore[attr-defined]  # a generator
        super().close()


class Reading(Account):
    """Blobs as bytes. Each method raises BlobGone when the blob is not there, or has another ETag."""

    def open(self, path: str, *, etag: str | None = None, offset: int = 0, length: int | None = None) -> Opened:
        """Pieces of at most `SERVED` bytes, one after the other."""
        wanted = SERVED if length is None else min(SERVED, length)
        first, blob = self._range(path, etag, offset, wanted)
        end = blob.bytes if length is None else min(offset + length, blob.bytes)
        return Opened(blob, self._following(first, blob, offset, end))

    def _following(self, first: bytes, blob: Blob, offset: int, end: int) -> Iterator[bytes]:
        yield first
        for start in range(offset + len(first), end, SERVED):
            yield self._range(blob.path, blob.etag, start, min(SERVED, end - start))[0]

    def reader(self, path: str, etag: str | None = None) -> Reader:
        """Read the whole blob in order, fast: for what looks at each byte once."""
        first, blob = self._range(path, etag, 0, RANGE)
        return Reader(blob, self._read_ahead(first, blob))

    def _read_ahead(self, first: bytes, blob: Blob) -> Iterator[bytes]:
        yield first
        yield from bounded_map(lambda start: self._at(blob, start), _starts(blob), READ_AHEAD)

    def download(
        self, path: str, target: Path, *, etag: str | None = None, check: Callable[[], None] = lambda: None
    ) -> None:
        """Write the whole blob to a file, which is there only when it is complete. `check` may raise between pieces."""
        first, blob = self._range(path, etag, 0, RANGE)
        part = target.with_name(f"{target.name}.part")
        with part.open("wb") as file:
            # Only this thread writes: one that is late with its range must not meet another file's descriptor.
            file.write(first)
            for piece in bounded_map(lambda start: self._at(blob, start), _starts(blob), DOWNLOADS):
                check()
                file.write(piece)
        part.replace(target)

    def _at(self, blob: Blob, start: int) -> bytes:
        return self._range(blob.path, blob.etag, start, RANGE)[0]

    def _range(self, path: str, etag: str | None, offset: int, length: int) -> tuple[bytes, Blob]:
        """One request, and what it tells of the blob."""
        same: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified} if etag else {}
        with self.told(path):
            try:
                found = self.container.download_blob(path, offset=offset, length=length, **same)
                return found.readall(), Blob.of(path, found.properties, _whole(found.properties))
            except HttpResponseError as error:
                if code_of(error) != "InvalidRange" or offset:
                    raise
        return b"", self._empty(path, etag)

    def _empty(self, path: str, etag: str | None) -> Blob:
        """A blob without bytes has no range."""
        with self.told(path):
            blob = Blob.of(path, self.container.get_blob_client(path).get_blob_properties())
        if etag not in (None, blob.etag):
            raise BlobGone(path=path)
        return blob


def _starts(blob: Blob) -> range:
    """Where the ranges after the first begin."""
    return range(RANGE, blob.bytes, RANGE)


def _whole(found: BlobProperties) -> int:
    """The size of the whole blob, from `bytes 0-99/1234`."""
    return int(str(found.content_range).rpartition("/")[2])
