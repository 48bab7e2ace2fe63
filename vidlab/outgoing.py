"""A file on its way to the API, cut into chunks."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

from vidlab.errors import BadChunk
from vidlab.settings import MIB

CHUNK = 8 * MIB  # bytes
MOST_CHUNKS = 50_000  # a block list takes no more


class Outgoing:
    """One file, one way of cutting it, and the key by which the API knows both again."""

    def __init__(self, path: Path, chunk_bytes: int, title: str, *, fresh: bool, key: str = "") -> None:
        self.path = path.absolute()
        self.title = title
        self._seen = self._look()
        self.size = self._seen[0]
        if not self.size:
            raise BadChunk(why=f"{path} is empty")
        self.chunk_bytes = max(chunk_bytes, -(-self.size // MOST_CHUNKS))
        self.total = -(-self.size // self.chunk_bytes)
        made = secrets.token_hex(16) if fresh else _digest(str(self.path), *self._seen, self.chunk_bytes)
        self.key = key or made

    def _look(self) -> tuple[int, int]:
        found = self.path.stat()
        return found.st_size, found.st_mtime_ns

    def has_changed(self) -> bool:
        """Is it another file than when the sending began?"""
        return self._look() != self._seen

    def after(self, video_hash: str) -> None:
        """Take the key that comes after that video's, which cannot be gone on with: it too is found again."""
        self.key = _digest(self.key, video_hash)

    def length(self, number: int) -> int:
        """Bytes of a chunk; the last one is shorter."""
        return min(self.chunk_bytes, self.size - number * self.chunk_bytes)

    def form(self, number: int) -> tuple[dict[str, str], bytes]:
        """The fields of a chunk's form, and its bytes."""
        with self.path.open("rb") as file:
            file.seek(number * self.chunk_bytes)
            piece = file.read(self.length(number))
        fields = {"chunk": str(number), "total_chunks": str(self.total), "title": self.title}
        return fields | {"sha256": hashlib.sha256(piece).hexdigest()}, piece


def _digest(*facts: object) -> str:
    return hashlib.sha256("\n".join(str(fact) for fact in facts).encode()).hexdigest()
