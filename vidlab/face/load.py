"""A load of short videos, which is sent while one waits for it, or in the background."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

from vidlab.face import bars
from vidlab.face.waiting import until
from vidlab.lab.history import Writer
from vidlab.lab.workload import Item, OnSent, run
from vidlab.settings import Settings

WHAT = "videos are sent"


@dataclass(frozen=True)
class Load:
    """Videos that are to be sent to a lab."""

    wanted: Sequence[Item]
    settings: Settings

    def send(self) -> list[str]:
        """Send them with a bar, and give the hashes of those that were finalized."""
        with bars.counting(WHAT, len(self.wanted)) as on_sent:
            return self._run(on_sent, Event())

    @contextmanager
    def sending(self, timeout: float) -> Iterator[None]:
        """Send them in a thread while the block runs; then wait for the rest. An error in the block ends the load."""
        stop, sent = Event(), [0]
        with ThreadPoolExecutor(1, thread_name_prefix="load") as pool:
            under_way = pool.submit(self._run, sent.append, stop)
            try:
                yield
                self._see_it_sent(under_way, sent, timeout)
            finally:
                stop.set()

    def _see_it_sent(self, under_way: Future[list[str]], sent: Sequence[int], timeout: float) -> None:
        """The bar is this thread's: what another one displays may come into another cell. Raises NotThere."""

        def over() -> bool:
            on_sent(sent[-1])
            return under_way.done()

        with bars.counting(WHAT, len(self.wanted)) as on_sent:
            until(over, f"{len(self.wanted)} videos to be sent", timeout)
            on_sent(sent[-1])
        under_way.result()

    def _run(self, on_sent: OnSent, stop: Event) -> list[str]:
        name = f"load-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        with Writer(self.settings.state, name) as writer:
            history = run(self.wanted, self.settings, writer, on_sent=on_sent, stop=stop)
        return [str(told.video_hash) for told in history.videos if told.video_hash in history.finalized]
