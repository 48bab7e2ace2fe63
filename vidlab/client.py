"""A client of the API: what the command line, the notebooks and the tests send videos with."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
from pydantic import SecretStr

from vidlab.ahead import bounded_map
from vidlab.errors import (
    ChunksMissing,
    DependencyAway,
    FileChanged,
    NotEnded,
    OutOfSight,
    TooManyRequests,
    UnknownVideo,
    VidLabError,
    WrongState,
)
from vidlab.outgoing import CHUNK, Outgoing
from vidlab.problem import from_problem

AT_ONCE = 4  # chunks; so much is held in memory
ANSWER = 60.0  # seconds for one answer: the API needs some to find out that a server behind it is away
CONNECT = 5.0  # seconds
LEAST = 0.5  # seconds for one answer, however late it is
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0)  # seconds between tries while something is away: API restarts fit in
POLL = 0.25  # seconds between two looks at a video
MOST = 200  # videos of one answer
ROUNDS = 3  # of sending what finalize says is missing

#: The answer of `GET /videos/{hash}`.
VideoJson = dict[str, Any]
#: Called with the bytes that are there, and with all.
OnBytes = Callable[[int, int], None]
OnChange = Callable[[VideoJson], None]

ENDED = ("completed", "failed")
UPLOADED = ("preprocessing", "processing", "completed")


class Client:
    """Speaks to one API. The errors that it answers are raised here as what they were there.

    Raises DependencyAway when the API, or a server that it needs, does not answer for about 20 s.
    """

    def __init__(self, api_url: str, token: SecretStr | None = None) -> None:
        """`token`: the API's, where it wants one."""
        secret = token.get_secret_value() if token else ""
        # trust_env: a proxy that the environment names knows nothing of this machine's ports.
        self._http = httpx.Client(
            base_url=api_url,
            headers={"Authorization": f"Bearer {secret}"} if secret else {},
            trust_env=False,
        )
        #: When the last try must be over, by the monotonic clock.
        self._deadline = math.inf

    def close(self) -> None:
        self._http.close()

    def within(self, seconds: float) -> Self:
        """The same client for so many seconds from now on: a question that has no answer by then is given up."""
        hurried = copy.copy(self)
        hurried._deadline = min(self._deadline, time.monotonic() + seconds)
        return hurried

    # -- videos

    def video(self, video_hash: str) -> VideoJson:
        """One video with its profiles. Raises UnknownVideo."""
        return self._ask("GET", f"/videos/{video_hash}")

    def videos(self, status: str | None = None, limit: int | None = None) -> list[VideoJson]:
        """The newest first; all of them, unless `limit` says how many are enough."""
        found: list[VideoJson] = []
        asked: dict[str, Any] = {"status": status} if status else {}
        while True:
            left = limit - len(found) if limit else MOST
            page = self._ask("GET", "/videos", params=asked | {"limit": min(MOST, left)})
            found += page["items"]
            if page["next"] is None or (limit and len(found) >= limit):
                return found[:limit]
            asked["cursor"] = page["next"]

    def timeline(self, video_hash: str) -> list[dict[str, Any]]:
        """A video's spans, in the order of their starts. Raises UnknownVideo."""
        return list(self._ask("GET", f"/videos/{video_hash}/timeline")["spans"])

    def events(self, video_hash: str) -> list[dict[str, Any]]:
        """What happened to a video, in order. Raises UnknownVideo."""
        return list(self._ask("GET", f"/videos/{video_hash}/events")["events"])

    def live(self) -> dict[str, Any]:
        """What is told first to whoever watches: videos, processes, queues, lag, faults and events as they are now."""
        return self._ask("GET", "/live")

    def retry(self, video_hash: str) -> VideoJson:
        """Begin again with what failed. Raises WrongState when nothing can be."""
        return self._ask("POST", f"/videos/{video_hash}/retry", once=True)

    def delete(self, video_hash: str) -> None:
        """Gone at once for everyone. Raises UnknownVideo."""
        self._ask("DELETE", f"/videos/{video_hash}", once=True)

    def wait(self, video_hash: str, timeout: float, on_change: OnChange | None = None) -> VideoJson:
        """Wait for a video's end; `on_change` gets each answer that differs. Raises NotEnded after `timeout` seconds.

        While the API is away the waiting goes on. Where it still is at the end, the NotEnded is an OutOfSight.
        """
        before = VideoJson()
        for video in self.looks(video_hash, timeout):
            if on_change and video != before:
                on_change(video)
            before = video
            if video["status"] in ENDED:
                return video
        raise NotEnded(video_hash=video_hash, status=before["status"], seconds=round(timeout))

    def looks(self, video_hash: str, timeout: float, poll: float = POLL) -> Iterator[VideoJson]:
        """A video once, and then again and again for `timeout` seconds.

        While the API is away the looking goes on. Raises OutOfSight where it still is at the end.
        """
        hurried, video = self.within(timeout), VideoJson()
        while True:
            pause = poll
            try:
                video = hurried.video(video_hash)
            except (DependencyAway, TooManyRequests) as error:
                if not hurried._left:
                    raise _out_of_sight(video_hash, video, timeout, error) from error
                pause = error.facts.get("seconds", poll)
            else:
                yield video
                if not hurried._left:
                    return
            time.sleep(min(pause, hurried._left))

    # -- upload

    def upload(
        self,
        path: Path,
        *,
        chunk_bytes: int = CHUNK,
        title: str | None = None,
        on_progress: OnBytes | None = None,
        again: bool = False,
        key: str = "",
    ) -> VideoJson:
        """Send a file in chunks and finalize it; run again, it goes on where it stopped.

        The same file is known again by an Idempotency-Key made of its absolute path, size, time of change and
        the chunks' size. What was sent completely before is not sent again, unless it failed or `again` says so.
        `key`: another Idempotency-Key than that. Raises FileChanged when it changes meanwhile.
        """
        file = Outgoing(path, chunk_bytes, title or "", fresh=again, key=key)
        while True:
            try:
                begun = self._send(file, 0)
            except (WrongState, UnknownVideo) as error:
                video_hash = error.facts["video_hash"]
                if error.facts.get("status") in UPLOADED:
                    return self.video(video_hash)
                file.after(video_hash)  # that one failed or was deleted: another try at the same file
            else:
                break
        self._send_all(file, begun["video_hash"], begun["missing"], on_progress or (lambda done, total: None))
        return self._finalize(file, begun["video_hash"])

    def _send_all(self, file: Outgoing, video_hash: str, missing: list[list[int]], on_progress: OnBytes) -> None:
        numbers = [number for first, last in missing for number in range(first, last + 1)]
        done = file.size - sum(file.length(number) for number in numbers)
        on_progress(done, file.size)

        def send(number: int) -> int:
            self._send(file, number, video_hash)
            return file.length(number)

        for sent in bounded_map(send, numbers, AT_ONCE):
            done += sent
            on_progress(done, file.size)

    def _send(self, file: Outgoing, number: int, video_hash: str | None = None) -> dict[str, Any]:
        fields, piece = file.form(number)
        named = {"video_hash": video_hash} if video_hash else {}
        return self._ask(
            "POST",
            "/videos/upload",
            data=fields | named,
            files={"file": (file.path.name, piece, "application/octet-stream")},
            headers={"Idempotency-Key": file.key},
        )

    def _finalize(self, file: Outgoing, video_hash: str) -> VideoJson:
        for _ in range(ROUNDS):
            if file.has_changed():
                raise FileChanged(path=file.path)
            try:
                return self._ask("POST", f"/videos/finalize/{video_hash}")
            except ChunksMissing as error:  # blob storage lost what it had said to have
                self._send_all(file, video_hash, error.facts["ranges"], lambda done, total: None)
        return self._ask("POST", f"/videos/finalize/{video_hash}")

    # -- requests

    def _ask(self, method: str, path: str, *, once: bool = False, **more: Any) -> dict[str, Any]:
        """Ask, and ask again while something is away, unless a second time would mean something else."""
        for pause in () if once else PAUSES:
            try:
                return self._ask_in_turn(method, path, **more)
            except DependencyAway as error:
                self._pause(pause, error)
        return self._ask_in_turn(method, path, **more)

    def _ask_in_turn(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Ask, and where that was too often, again when the API says: until then nothing was done."""
        while True:
            try:
                return self._ask_once(method, path, **more)
            except TooManyRequests as error:
                self._pause(error.facts["seconds"], error)

    @property
    def _left(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def _pause(self, seconds: float, error: VidLabError) -> None:
        """Pause before another try. Raises the error where the time is over by then."""
        if seconds > self._left:
            raise error
        time.sleep(seconds)

    def _ask_once(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        seconds = min(ANSWER, max(LEAST, self._left))
        timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT))
        try:
            answer = self._http.request(method, path, timeout=timeout, **more)
        except httpx.TransportError as error:
            raise DependencyAway(name="api", why=str(error) or type(error).__name__) from error
        if answer.is_success:
            return dict(answer.json())
        raise _error_of(answer)


def _out_of_sight(video_hash: str, video: VideoJson, timeout: float, error: VidLabError) -> OutOfSight:
    seen = f"it was {video['status']} when last seen" if video else "it was never seen"
    return OutOfSight(video_hash=video_hash, seconds=round(timeout), seen=seen, why=str(error))


def _error_of(answer: httpx.Response) -> VidLabError:
    try:
        return from_problem(answer.json())
    except ValueError:  # not from this API
        return DependencyAway(name="api", why=f"it answers {answer.status_code} {answer.reason_phrase}")
