"""A file in chunks, sent to the API one by one: what `lab.upload` does by itself, slowly enough to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from vidlab.errors import WrongState
from vidlab.face import Lab
from vidlab.face.waiting import until
from vidlab.outgoing import Outgoing
from vidlab.problem import from_problem

TITLE = "01 upload"  # how the titles of this lesson's videos begin: by that they are found again
ANSWER = 30.0  # seconds for one answer


class Sender:
    """A file in chunks, sent to the API one by one: what `lab.upload` does by itself. It counts what it sends."""

    def __init__(self, lab: Lab, path: Path, chunks: int, key: str | None = None) -> None:
        """`key`: the Idempotency-Key by which the API knows an upload again; none: a new upload."""
        size = path.stat().st_size
        self.file = Outgoing(path, -(-size // chunks), f"{TITLE}: {path.name}", fresh=True)
        self.key = key or self.file.key
        self.video_hash = ""
        #: Bytes of the file that left this program.
        self.sent = 0
        token = lab.addresses["token"]
        headers = {"Idempotency-Key": self.key} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._http = httpx.Client(base_url=lab.addresses["api"], headers=headers, timeout=ANSWER, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def __repr__(self) -> str:
        return f"{self.file.path.name}: {self.file.size:,} bytes in {self.file.total} chunks, {self.sent:,} bytes sent"

    def send(self, number: int, *, damaged: bool = False) -> dict[str, Any]:
        """Send a chunk, and give what the API has then. `damaged`: with a byte that is not the one that was summed."""
        return self._answered(self._http.send(self._request(number, damaged)), self.file.length(number))

    def send_missing(self) -> dict[str, Any]:
        """Ask what is missing, and send that."""
        told = self.progress() if self.video_hash else self.send(0)
        for first, last in told["missing"]:
            for number in range(first, last + 1):
                told = self.send(number)
        return told

    def cut_off(self, number: int) -> str:
        """Send half of a chunk's request, then break the connection; give what was seen of that."""
        whole = self._request(number)
        body = whole.read()
        half = body[: len(body) // 2]
        try:
            self._http.post(whole.url, content=_broken_off(half), headers=whole.headers)
        except ConnectionAbortedError:
            self.sent += min(len(half), self.file.length(number))
            return f"cut off after {len(half):,} of {len(body):,} bytes"
        raise WrongState(video_hash=self.video_hash, status="uploading", why="it was answered before it was cut off.")

    def progress(self) -> dict[str, Any]:
        """What the API has, and what it misses."""
        return self._answered(self._http.get(f"/videos/{self.video_hash}/upload"))

    def finalize(self) -> dict[str, Any]:
        """Make the file of its chunks. Raises ChunksMissing, WrongState."""
        return self._answered(self._http.post(f"/videos/finalize/{self.video_hash}"))

    def answers(self) -> bool:
        """Does the API answer?"""
        try:
            return self._http.get("/health/live").is_success
        except httpx.TransportError:
            return False

    def wait_for_api(self, timeout: float = 60.0) -> float:
        """Wait until the API answers, and give the seconds that it took. Raises NotThere."""
        return until(self.answers, "the API to answer again", timeout)

    def _request(self, number: int, damaged: bool = False) -> httpx.Request:
        fields, piece = self.file.form(number)
        piece = damaged_piece(piece) if damaged else piece
        files = {"file": (self.file.path.name, piece, "application/octet-stream")}
        return self._http.build_request("POST", "/videos/upload", data=fields, files=files)

    def _answered(self, answer: httpx.Response, sent: int = 0) -> dict[str, Any]:
        self.sent += sent
        if not answer.is_success:
            raise from_problem(answer.json())
        told: dict[str, Any] = answer.json()
        self.video_hash = str(told["video_hash"])
        return told


def _broken_off(half: bytes) -> Iterator[bytes]:
    yield half
    raise ConnectionAbortedError


def damaged_piece(piece: bytes) -> bytes:
    """One bit of it is another."""
    return bytes([piece[0] ^ 1]) + piece[1:]
