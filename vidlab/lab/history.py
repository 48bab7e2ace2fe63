"""What clients asked and what they saw, kept as Jepsen keeps it: the checker holds the system to these words.

Each request is two lines: `invoke` when it is sent, then `ok` (it certainly happened), `fail` (it certainly did not)
or `unknown` (it may have). A request without a second line is unknown too: its client died, or still waits.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FOLDER = "history"
ENDING = ".jsonl"


class Kind(StrEnum):
    """What a line tells of a request."""

    INVOKE = "invoke"
    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class End:
    """How a video ends, or should."""

    #: `completed` or `failed`.
    status: str
    #: Where it fails; None: wherever.
    stage: str | None = None

    def __str__(self) -> str:
        return f"{self.status} in {self.stage}" if self.stage else self.status


COMPLETED = End("completed")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a history."""

    #: Ties the two lines of a request together.
    request: int
    at: datetime
    client: str
    kind: Kind
    #: `upload` (a whole file), and the requests that it is made of: `chunk`, `finalize`; `retry`, `delete`.
    operation: str
    #: The client's own name for the video: it has one before the video_hash is known.
    video: str
    video_hash: str | None = None
    detail: str = ""
    #: How the video should end; told when its upload is invoked.
    expected: End | None = None
    #: Of the file that is sent, in hex; told with `expected`.
    sha256: str | None = None

    def as_text(self) -> str:
        """A line of JSON, without what is not known."""
        known = {name: value for name, value in asdict(self).items() if value not in (None, "")}
        return json.dumps(known | {"at": self.at.isoformat()})


def _line(text: str) -> Line:
    facts: dict[str, Any] = json.loads(text)
    expected = End(**facts.pop("expected")) if "expected" in facts else None
    at, kind = datetime.fromisoformat(facts.pop("at")), Kind(facts.pop("kind"))
    return Line(**facts, at=at, kind=kind, expected=expected)


@dataclass(frozen=True)
class Told:
    """What all clients together were told about one video."""

    video: str
    lines: tuple[Line, ...]

    @cached_property
    def video_hash(self) -> str | None:
        return next((line.video_hash for line in reversed(self.lines) if line.video_hash), None)

    @cached_property
    def expected(self) -> End | None:
        return next((line.expected for line in self.lines if line.expected), None)

    @cached_property
    def sha256(self) -> str | None:
        return next((line.sha256 for line in self.lines if line.sha256), None)

    def first(self, operation: str, *kinds: Kind) -> Line | None:
        """The first line of that operation and one of these kinds."""
        return next((line for line in self.lines if line.operation == operation and line.kind in kinds), None)

    @property
    def finalized(self) -> Line | None:
        """Where the client was told that the video is finalized."""
        return self.first("finalize", Kind.OK) or self.first("upload", Kind.OK)

    @property
    def may_be_deleted(self) -> bool:
        """Did anyone ask for that, and was not told that it certainly did not happen?"""
        asked = {line.request for line in self.lines if line.operation == "delete"}
        refused = {line.request for line in self.lines if line.operation == "delete" and line.kind == Kind.FAIL}
        return bool(asked - refused)


@dataclass(frozen=True)
class History:
    """The lines of one or several histories, in their order."""

    lines: tuple[Line, ...] = ()

    @cached_property
    def videos(self) -> tuple[Told, ...]:
        """By video, in the order in which they were begun."""
        by_name: dict[str, list[Line]] = {}
        for line in self.lines:
            by_name.setdefault(line.video, []).append(line)
        return tuple(Told(name, tuple(lines)) for name, lines in by_name.items())

    @property
    def hashes(self) -> frozenset[str]:
        """Of the videos that the system gave one."""
        return frozenset(told.video_hash for told in self.videos if told.video_hash)

    @property
    def finalized(self) -> frozenset[str]:
        """Of the videos whose client was told that they are finalized."""
        return frozenset(told.video_hash for told in self.videos if told.video_hash and told.finalized)

    def only(self, hashes: Collection[str]) -> History:
        """What is told of these videos."""
        lines = (line for told in self.videos if told.video_hash in hashes for line in told.lines)
        return History(tuple(sorted(lines, key=lambda line: line.at)))


# -- files


def folder_of(state: Path) -> Path:
    """Where a lab's histories lie."""
    return state / FOLDER


def read(path: Path) -> History:
    """A history, also one that is still being written: a last line that is not whole is left out."""
    whole, _, _ = path.read_text().rpartition("\n")
    name = path.stem  # two histories may use the same names for their videos
    lines = (_line(text) for text in whole.splitlines())
    return History(tuple(replace(line, video=f"{name}/{line.video}") for line in lines))


def read_all(state: Path) -> History:
    """All histories of a lab as one."""
    return merged(read(path) for path in sorted(folder_of(state).glob(f"*{ENDING}")))


def merged(histories: Iterable[History]) -> History:
    lines = [line for history in histories for line in history.lines]
    return History(tuple(sorted(lines, key=lambda line: line.at)))


class Writer:
    """Writes a history while things happen. Its methods may be called by several threads."""

    def __init__(self, state: Path, name: str) -> None:
        self.path = folder_of(state) / f"{name}{ENDING}"
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = self.path.open("w")
        self._lock = threading.Lock()
        self._requests = self._numbers()

    @staticmethod
    def _numbers() -> Iterator[int]:
        yield from range(1, 2**63)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def invoke(self, client: str, operation: str, video: str, **facts: Any) -> Line:
        """A request is about to be sent. Give what this returns to `end`."""
        with self._lock:
            number = next(self._requests)
        line = Line(
            request=number, at=_now(), client=client, kind=Kind.INVOKE, operation=operation, video=video, **facts
        )
        self._write(line)
        return line

    def end(self, invoked: Line, kind: Kind, *, video_hash: str | None = None, detail: str = "") -> None:
        """What became of it."""
        named = video_hash or invoked.video_hash
        known = replace(invoked, video_hash=named, detail=detail, expected=None, sha256=None)
        self._write(replace(known, at=_now(), kind=kind))

    def _write(self, line: Line) -> None:
        with self._lock:  # one write for each line, so that nobody reads half of one followed by another
            self._file.write(f"{line.as_text()}\n")
            self._file.flush()

    def history(self) -> History:
        """What was written so far."""
        return read(self.path)


def _now() -> datetime:
    return datetime.now(UTC)
