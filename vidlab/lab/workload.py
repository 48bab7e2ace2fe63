"""A load of videos with a known end: clients send them at a given rate, and keep a history of what they saw.

A client that does not know whether a request happened repeats it under the same key, until its patience ends.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx

from vidlab import clips
from vidlab.client import Client, VideoJson
from vidlab.errors import DependencyAway, VidLabError
from vidlab.lab.history import COMPLETED, End, History, Kind, Writer
from vidlab.settings import Settings

CLIENTS = 4
CHUNKS = 3  # of each video, so that a fault also falls between two of them
HASH = 32  # hex digits of a video_hash
PATIENCE = 120.0  # seconds for which a client tries to send one video
LOOK = 0.5  # seconds between two counts of what was sent

OnSent = Callable[[int], None]

#: Good clips that are refused for a limit: they are told apart from broken ones, which fail in the same stage.
TOO_DEMANDING = ("fast",)
REFUSED = End("failed", "preprocessing")

#: Clips that are sent in a second, with each kind of end.
SHORT = ("tiny", "flash", "blink", "speck", "tiny", "text", "blink", "infected")


@dataclass(frozen=True, kw_only=True)
class Item:
    """One video to be sent."""

    #: The client's own name for it.
    name: str
    #: Of the table in `vidlab.clips`.
    clip: str
    expected: End
    #: When to send it, in seconds after the beginning.
    due: float


def expected_end(clip: str) -> End:
    """How a clip of the table ends where nothing is broken. Raises KeyError."""
    bad = clips.CLIPS[clip] in clips.BAD or clip in TOO_DEMANDING
    return REFUSED if bad else COMPLETED


def items(count: int, names: Sequence[str] = ("tiny",), rate: float = 2.0) -> tuple[Item, ...]:
    """So many videos, of these clips in turn, at `rate` videos a second."""
    return tuple(
        Item(name=f"{clip}-{number:04}", clip=clip, expected=expected_end(clip), due=number / rate)
        for number, clip in enumerate(islice(cycle(names), count))
    )


def run(
    wanted: Sequence[Item],
    settings: Settings,
    writer: Writer,
    *,
    clients: int = CLIENTS,
    patience: float = PATIENCE,
    on_sent: OnSent = lambda count: None,
    stop: threading.Event | None = None,
) -> History:
    """Send them all, and return when each was finalized or given up: what became of it is in the history.

    It ends: the last client gives up `patience` seconds after its video was due, and some 30 s for its last request.
    `on_sent` is told how many have been, in the caller's thread. Who interrupts it, or sets `stop`,
    waits for what is under way only.
    """
    stop = stop or threading.Event()
    with _files(wanted, settings) as paths, ThreadPoolExecutor(clients, thread_name_prefix="client") as pool:
        begin, sent = time.monotonic(), list[str]()
        senders = [_Sender(f"client.{number + 1}", settings, writer, patience, stop) for number in range(clients)]

        def send_share(number: int) -> None:
            for item in wanted[number::clients]:
                if stop.wait(max(0.0, begin + item.due - time.monotonic())):
                    break
                senders[number].send(item, paths[item.name])
                sent.append(item.name)
            senders[number].close()

        shares = [pool.submit(send_share, number) for number in range(clients)]
        try:
            while wait(shares, LOOK).not_done:
                on_sent(len(sent))
        finally:
            stop.set()
        on_sent(len(sent))
        for share in shares:
            share.result()
    return writer.history()


@contextmanager
def _files(wanted: Sequence[Item], settings: Settings) -> Iterator[dict[str, Path]]:
    """A name of its own for each video's file: the name is part of the key by which the API knows an upload again."""
    made = {clip: clips.make(clip, settings.state.absolute() / "clips") for clip in {item.clip for item in wanted}}
    with tempfile.TemporaryDirectory(prefix="vidlab-load-") as folder:
        links = {item.name: Path(folder) / f"{item.name}{made[item.clip].suffix}" for item in wanted}
        for item in wanted:
            links[item.name].symlink_to(made[item.clip])
        yield links


class _Sender:
    """One client: sends a video after the other."""

    def __init__(self, name: str, settings: Settings, writer: Writer, patience: float, stop: threading.Event) -> None:
        self.name = name
        self.stop = stop
        self.writer = writer
        self.patience = patience
        self.client = WitnessClient(settings, name, writer)

    def close(self) -> None:
        self.client.close()

    def send(self, item: Item, path: Path) -> None:
        """Until it is finalized, refused, or patience ends."""
        content = path.read_bytes()
        facts = {"expected": item.expected, "sha256": hashlib.sha256(content).hexdigest()}
        invoked = self.writer.invoke(self.name, "upload", item.name, **facts)
        deadline = time.monotonic() + self.patience
        while True:
            try:
                video = self.client.send(item.name, path, chunk_bytes=-(-len(content) // CHUNKS))
            except VidLabError as error:
                if isinstance(error, DependencyAway) and time.monotonic() < deadline and not self.stop.is_set():
                    continue  # the client has paused between its own tries
                self.writer.end(invoked, outcome(error), detail=str(error))
            else:
                self.writer.end(invoked, Kind.OK, video_hash=video["video_hash"])
            return


def outcome(error: VidLabError) -> Kind:
    """Did what was asked for certainly not happen, or may it have?"""
    if isinstance(error, DependencyAway):
        return Kind.FAIL if isinstance(error.__cause__, httpx.ConnectError) else Kind.UNKNOWN
    return Kind.FAIL


class WitnessClient(Client):
    """A client that writes each request into a history: each try by itself."""

    def __init__(self, settings: Settings, name: str, writer: Writer) -> None:
        super().__init__(settings.api_here, settings.api_token)
        self.name = name
        self.writer = writer
        self._now = ""

    def send(self, video: str, path: Path, chunk_bytes: int) -> VideoJson:
        """Upload and finalize. One video at a time."""
        self._now = video
        return self.upload(path, chunk_bytes=chunk_bytes)

    def _video(self, more: dict[str, Any]) -> str:
        """Chunks are sent by several threads, some of which may still be busy with the video before."""
        return Path(more["files"]["file"][0]).stem if "files" in more else self._now

    def _ask_once(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        operation = _operation(method, path)
        if operation is None:
            return super()._ask_once(method, path, **more)
        invoked = self.writer.invoke(self.name, operation, self._video(more), **_facts(path, more))
        try:
            answer = super()._ask_once(method, path, **more)
        except VidLabError as error:
            self.writer.end(invoked, outcome(error), detail=str(error))
            raise
        self.writer.end(invoked, Kind.OK, video_hash=answer.get("video_hash"))
        return answer


#: How the paths of requests that change something begin, and what the history calls them.
_OPERATIONS = {
    ("POST", "/videos/upload"): "chunk",
    ("POST", "/videos/finalize/"): "finalize",
    ("DELETE", "/videos/"): "delete",
    ("POST", "/videos/"): "retry",
}


def _operation(method: str, path: str) -> str | None:
    """None for what only asks."""
    found = (name for (verb, begin), name in _OPERATIONS.items() if verb == method and path.startswith(begin))
    return next(found, None)


def _facts(path: str, more: dict[str, Any]) -> dict[str, str]:
    fields: dict[str, str] = more.get("data", {})
    named = {"detail": f"chunk {fields['chunk']}"} if "chunk" in fields else {}
    parts = [*path.split("/"), fields.get("video_hash", "")]
    return named | {"video_hash": next((part for part in parts if len(part) == HASH), "")}
