"""`Lab`: a running lab with the words of the command line. What it answers are data frames, or draws itself."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

from vidlab.client import Client
from vidlab.errors import DependencyAway
from vidlab.face import bars, frames
from vidlab.face.fault import Fault
from vidlab.face.log import Log
from vidlab.face.samples import sample
from vidlab.face.video import Video, Videos, hash_of
from vidlab.lab.runner import Runner
from vidlab.outgoing import CHUNK
from vidlab.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from vidlab.lab.verdict import Verdict

PATIENCE = 300.0  # seconds for which a video's end is awaited when nobody says
BOUND = 60.0  # seconds within which the verdict wants a video to have ended

#: A video, or its hash.
AnyVideo = Video | str


class Showing(Protocol):
    """What speaks to a lab by its addresses, and is told when they are others."""

    addresses: Any


class Lab:
    """A lab. Every method but `up`, `down`, `reset`, `status` and `logs` raises LabNotRunning when it is down.

    What waits shows a bar, takes a time-out in seconds, and may be interrupted: the lab goes on.
    """

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        #: Upload that was begun and did not end -> its Idempotency-Key.
        self._cut_off: dict[tuple[object, ...], str] = {}
        #: The widgets of this lab.
        self.shown: WeakSet[Showing] = WeakSet()

    def __repr__(self) -> str:
        return f"Lab({self._headline()})"

    def _repr_html_(self) -> str:
        return frames.headline(self._headline(), self.runner.status())

    def _headline(self) -> str:
        told = self.runner.status()
        where = f"{told.state}, {told.api_url}" if told.api_url else told.state
        return f"{self.runner.folder.root}, {where}"

    # -- up and down

    def up(self) -> None:
        """Start it where it is down. What shows it goes on, also when somebody else has started it anew."""
        if self.runner.status().state != "up":
            with bars.arriving() as tell:
                self.runner.up(tell)
        self._forget()
        for one in self.shown:
            one.addresses = self.addresses

    def down(self) -> None:
        """Take it down, and keep its data."""
        with bars.doing("taking the lab down"):
            self.runner.down()
        self._forget()

    def reset(self) -> None:
        """Take it down, and forget its data: videos, messages, logs."""
        with bars.doing("taking the lab down, and forgetting its data"):
            self.runner.reset()
        self._forget()

    def _forget(self) -> None:
        """Its addresses may be others when it is up again."""
        if client := self.__dict__.pop("client", None):
            client.close()
        self.__dict__.pop("settings", None)

    @cached_property
    def settings(self) -> Settings:
        """Every setting, with this lab's addresses."""
        return self.runner.settings()

    @cached_property
    def client(self) -> Client:
        """The client of its API."""
        return Client(self.settings.api_here, self.settings.api_token)

    @property
    def state(self) -> Path:
        """Its folder."""
        return self.runner.folder.root

    @property
    def addresses(self) -> dict[str, str]:
        """What a page in the browser needs to speak to it: `api`, `control`, and the two secrets."""
        control, secret = self.runner.control
        token = self.settings.api_token.get_secret_value()
        return {"api": self.settings.api_url.rstrip("/"), "control": control, "secret": secret, "token": token}

    # -- processes

    def status(self) -> pd.DataFrame:
        """Every process: kind, state, pid, uptime in seconds, restarts, and what it does."""
        told = self.runner.status()
        return frames.processes(told.processes, self._doing() if told.state == "up" else {})

    def _doing(self) -> dict[str, str]:
        from vidlab.observe.workers import notes

        try:
            return notes(self.settings)
        except DependencyAway:  # then what the supervisor says of them is all that is known
            return {}

    def purposes(self) -> pd.DataFrame:
        """Every process of the lab, and what it is for."""
        return frames.purposes(self.runner.status().processes)

    def logs(self, name: str, lines: int = 20) -> Log:
        """The last lines of a process's log, or of each of a kind."""
        return Log(name, self.runner.logs(name, lines))

    def scale(self, kind: str, count: int, timeout: float = 60.0) -> int:
        """Change how many of a kind there are, wait until it is so, and give how many were before.

        Raises LabFailed after `timeout` seconds: a worker that has work in hand ends it before it goes.
        """
        with bars.doing(f"{kind}: {count} wanted"):
            before = self.runner.scale(kind, count)
            if count:
                self.runner.wait(kind, seconds=timeout)
            else:
                self.runner.wait_for_none(kind, seconds=timeout)
        return before

    def kill(self, name: str | int) -> list[str]:
        """End processes at once: a process, all of a kind, or one of the system's by its pid."""
        return self.runner.kill(name)

    def pause(self, name: str) -> list[str]:
        """Stop processes where they stand: alive, but silent."""
        return self.runner.pause(name)

    def resume(self, name: str) -> list[str]:
        """Let paused processes go on."""
        return self.runner.resume(name)

    def restart(self, name: str) -> list[str]:
        """Let processes finish what they have in hand, then start them again."""
        return self.runner.restart(name)

    # -- faults

    def faults(self) -> pd.DataFrame:
        """The table of faults: what each does, how it ends, and what to expect."""
        return frames.faults()

    def fault(self, name: str, target: str = "", seconds: float | None = None) -> Fault:
        """Break something on purpose. It ends after `seconds`, at the end of a `with` block, or with the lab."""
        return Fault(self.runner, self.runner.fault(name, target, seconds))

    # -- videos

    def clip(self, name: str = "sample") -> Path:
        """A clip of `vidlab.clips` as a file, made when it is not there; `sample` is some seconds of film."""
        return sample(name, self.settings)

    def upload(
        self,
        clip: Path | str = "sample",
        *,
        title: str | None = None,
        chunk_bytes: int = CHUNK,
        again: bool = True,
    ) -> Video:
        """Send a file in chunks, or a clip by its name, and finalize it. What becomes of it: `.wait()`.

        An upload that was interrupted goes on when the same is sent again. With `again=False` that is so after a
        restart of the kernel too, but a file that was sent before is then not sent twice.
        """
        path = Path(clip) if isinstance(clip, Path) or Path(clip).is_file() else self.clip(clip)
        facts: dict[str, Any] = {"chunk_bytes": chunk_bytes, "title": title}
        this = _upload_of(path, **facts)
        if again:  # another key each time, so that it is another video; what was cut off keeps its own
            facts["key"] = self._cut_off.setdefault(this, secrets.token_hex(16))
        with bars.sending(path.name) as on_progress:
            told = self.client.upload(path, on_progress=on_progress, **facts)
        self._cut_off.pop(this, None)
        return Video(self, told)

    def video(self, video: AnyVideo) -> Video:
        """One video as it is now. Raises UnknownVideo."""
        return Video(self, self.client.video(hash_of(video)))

    def videos(self, status: str | None = None, limit: int = 50) -> pd.DataFrame:
        """The newest first: title, status, seconds from finalize to the end, and why one failed."""
        return frames.videos(self.client.videos(status=status, limit=limit))

    def retry(self, video: AnyVideo) -> Video:
        """Begin again with what failed, and only that. Raises WrongState."""
        return Video(self, self.client.retry(hash_of(video)))

    def delete(self, video: AnyVideo) -> None:
        """Gone at once for everyone."""
        self.client.delete(hash_of(video))

    def wait(self, videos: AnyVideo | Iterable[AnyVideo], timeout: float = PATIENCE) -> Any:
        """Wait until a video, or each of several, has ended; give it, or them, as they are then.

        Raises NotEnded, which names the one that was waited for, after `timeout` seconds.
        """
        if isinstance(videos, Video | str):
            return self._wait_all([videos], timeout)[0]
        return self._wait_all(list(videos), timeout)

    def _wait_all(self, videos: list[AnyVideo], timeout: float) -> Videos:
        deadline = datetime.now(UTC).timestamp() + timeout
        with bars.watching(len(videos)) as on_change:
            ended = Videos()
            for video in videos:
                left = max(0.0, deadline - datetime.now(UTC).timestamp())
                ended.append(Video(self, self.client.wait(hash_of(video), timeout=left, on_change=on_change)))
            return ended

    # -- numbers

    def lag(self) -> pd.DataFrame:
        """How far each consumer group is behind, in messages, per partition."""
        from vidlab.observe.kafka import lag

        return frames.of(lag(self.settings))

    def queues(self) -> pd.DataFrame:
        """What waits in each Celery queue, and what workers do."""
        from vidlab.observe.queues import queues

        return frames.of(queues(self.settings))

    def timeline(self, video: AnyVideo) -> pd.DataFrame:
        """A video's spans: where its time went, waiting (`queue`) apart from `work`, in seconds."""
        return frames.spans(self.client.timeline(hash_of(video)))

    def events(self, video: AnyVideo | None = None) -> pd.DataFrame:
        """What happened to a video, in order; without one the newest of all videos and of the lab's processes."""
        if video is None:
            return frames.news(self.client.live()["events"])
        return frames.events(self.client.events(hash_of(video)))

    # -- load and verdict

    def load(self, count: int, clip: str = "tiny", rate: float = 2.0) -> Videos:
        """Send many short videos, at `rate` a second, with a history of what the clients were told, for `check`."""
        from vidlab.face.load import Load
        from vidlab.lab.workload import items

        return Videos(map(self.video, Load(items(count, (clip,), rate), self.settings).send()))

    @contextmanager
    def loading(self, count: int, clip: str = "tiny", rate: float = 2.0, timeout: float = PATIENCE) -> Iterator[None]:
        """Send them in the background while the block runs, and wait at its end until all are sent.

        Where an error or an interrupt ends the block, no more are sent. Raises NotThere when they are not all sent
        `timeout` seconds after its end.
        """
        from vidlab.face.load import Load
        from vidlab.lab.workload import items

        with Load(items(count, (clip,), rate), self.settings).sending(timeout):
            yield

    def check(self, bound: float = BOUND, *, decode: bool = True) -> Verdict:
        """Judge the lab: is anything lost, stuck, twice, wrong or leaked? Draws itself.

        `bound`: seconds within which a video must have ended; with `decode` every segment is fetched and decoded.
        """
        from vidlab.lab.case import Terms
        from vidlab.lab.check import check
        from vidlab.lab.evidence import collect
        from vidlab.lab.history import read_all

        history = read_all(self.state)  # the history first: of what is told after this, the rows know already
        with bars.doing("looking at every video" + (", and decoding every segment" if decode else "")):
            return check(history, collect(self.runner, play=decode), Terms(bound=bound))


def _upload_of(path: Path, **facts: object) -> tuple[object, ...]:
    """By what an upload is known again: the file as it is now, and how it is cut."""
    seen = path.stat()
    return (path.absolute(), seen.st_size, seen.st_mtime_ns, *facts.values())
