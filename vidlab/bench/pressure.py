"""What the system does with more than it can carry: many videos at once, with the real scanner and encoder.

While they come in and are worked off, samples tell how long `GET /videos` takes, where the backlog stands, and what
memory and scratch it costs. Afterwards the order of the hand-over is compared with that of the messages.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import quantiles

from vidlab.bench.usage import resident_bytes
from vidlab.client import Client
from vidlab.jobs import Queues
from vidlab.lab.history import Writer
from vidlab.lab.local import LocalLab
from vidlab.lab.scratch import scratch_of
from vidlab.lab.workload import items, run
from vidlab.models import Event, Status
from vidlab.observe.kafka import lag, posted
from vidlab.profiles import stages
from vidlab.settings import Settings
from vidlab.store import Store

CLIENTS = 8
LOOK = 1.0  # seconds between two samples of the lab
ASK = 0.1  # seconds between two questions for the list of videos
STALL = 120.0  # seconds without a video that ended: then something is broken


@dataclass
class Samples:
    """What was seen while the load was there."""

    #: Of each `GET /videos`, in seconds.
    answers: list[float] = field(default_factory=list)
    #: Queue -> the most tasks that ever waited in it.
    waiting: dict[str, int] = field(default_factory=dict)
    #: Group -> the most messages that it was ever behind.
    lag: dict[str, int] = field(default_factory=dict)
    #: Kind of process -> resident bytes of all of them with their children: at the beginning, and at most.
    memory: dict[str, tuple[float, float]] = field(default_factory=dict)
    #: The most bytes that ever lay in all scratch folders together.
    scratch: int = 0


@dataclass(frozen=True, kw_only=True)
class Pressure:
    """What came of it."""

    videos: int
    #: From the first chunk to the last finalize, in seconds.
    sending: float
    #: From the first chunk to the last end, in seconds.
    ending: float
    samples: Samples
    #: Videos that were handed on before one whose message stood before theirs in the same partition.
    overtaken: int
    #: Status -> videos.
    ends: dict[str, int]

    @property
    def slowest_percent(self) -> float:
        """Seconds within which 99 of 100 lists of videos were there."""
        return quantiles(self.samples.answers, n=100)[98]


def bench_pressure(lab: LocalLab, videos: int, rate: float, on_look: Callable[[int], None]) -> Pressure:
    """Send the videos at `rate` a second, and wait for their ends. The lab must be up, and have nothing else to do.

    `on_look` is told how many have not ended. Raises RuntimeError when nothing moves any more.
    """
    settings = lab.settings()
    with closing(Store(settings)) as store:
        with _sampled(lab, settings) as samples, Writer(settings.state, f"pressure-{int(time.time())}") as writer:
            began = time.monotonic()
            history = run(items(videos, rate=rate), settings, writer, clients=CLIENTS)
            sending = time.monotonic() - began
            _wait(store, on_look)
            ending = time.monotonic() - began
        rows = store.snapshot(history.hashes)
        return Pressure(
            videos=videos,
            sending=sending,
            ending=ending,
            samples=samples,
            overtaken=_overtaken(settings, rows.events),
            ends=Counter(str(row.status) for row in rows.videos),
        )


def _wait(store: Store, on_look: Callable[[int], None]) -> None:
    left, moved = -1, time.monotonic()
    while left:
        counts = store.counts().videos_by_status
        before, left = left, sum(counts.get(status, 0) for status in (Status.PREPROCESSING, Status.PROCESSING))
        on_look(left)
        if left != before:
            moved = time.monotonic()
        if time.monotonic() - moved > STALL:
            raise RuntimeError(f"{left} videos have not moved for {STALL:.0f} s")
        time.sleep(LOOK)


# -- samples


@contextmanager
def _sampled(lab: LocalLab, settings: Settings) -> Iterator[Samples]:
    """Look again and again, as long as the block lasts. Raises what ended a look: half of the samples are none."""
    samples, over = Samples(), threading.Event()
    with ThreadPoolExecutor(2, thread_name_prefix="sample") as pool:
        looks = [pool.submit(look, lab, settings, samples, over) for look in (_look, _ask)]
        try:
            yield samples
        finally:
            over.set()
        for look in looks:
            look.result()


def _ask(_lab: LocalLab, settings: Settings, samples: Samples, over: threading.Event) -> None:
    with closing(Client(settings.api_here, settings.api_token)) as client:
        while not over.wait(ASK):
            began = time.monotonic()
            client.videos(limit=50)
            samples.answers.append(time.monotonic() - began)


def _look(lab: LocalLab, settings: Settings, samples: Samples, over: threading.Event) -> None:
    queues = Queues(settings)
    while not over.wait(LOOK):
        _keep_most(samples.waiting, queues.lengths())
        _keep_most(samples.lag, _behind(settings))
        for kind, size in resident_bytes(lab).items():
            first, most = samples.memory.get(kind, (size, size))
            samples.memory[kind] = (first, max(most, size))
        samples.scratch = max(samples.scratch, sum(one.bytes for one in scratch_of(settings.state)))


def _keep_most(most: dict[str, int], now: Mapping[str, int]) -> None:
    for name, value in now.items():
        most[name] = max(most.get(name, 0), value)


def _behind(settings: Settings) -> dict[str, int]:
    rows = lag(settings)
    return {group: sum(row.lag for row in rows if row.group == group) for group in {row.group for row in rows}}


def _overtaken(settings: Settings, events: Sequence[Event]) -> int:
    """Hand-overs, over all groups, of a video before one whose message stood before its own in the same partition."""
    queued: dict[tuple[str, str], int] = {}
    for event in events:
        if event.kind == "queued" and event.stage:
            queued.setdefault((event.stage, event.video_hash), event.id)
    return sum(
        later < earlier
        for stage in stages()
        for order in posted(settings, stage.topic).values()
        for earlier, later in pairwise(queued[stage.name, one] for one in order if (stage.name, one) in queued)
    )
