"""Chaos, seeded: rounds of short videos, with faults at random times, and a verdict about each round.

What happens when is a pure function of the seed: the same seed makes the same rounds, and one of them can be repeated
alone. What comes of it is not, and that is the point.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import cycle, islice

from vidlab.errors import CannotDo, DependencyAway, SupervisorSilent, UnknownProcess
from vidlab.lab.case import Terms
from vidlab.lab.check import check
from vidlab.lab.evidence import collect
from vidlab.lab.history import History, Writer
from vidlab.lab.local import LocalLab
from vidlab.lab.spec import make_spec
from vidlab.lab.verdict import Verdict
from vidlab.lab.workload import SHORT, items, run
from vidlab.store import Store

ROUNDS = 20
VIDEOS = 50
RATE = 1.25  # videos a second: they still come in when the last fault begins
KILLS = 3  # in each round
DOWN = 20.0  # seconds for which a server is away
LONGEST_PAUSE = 20.0  # seconds; beyond the 10 after which a lease is taken
SPAN = 30.0  # seconds in which all faults of a round begin
BEFORE = 1.0  # seconds from a kill of a server to its being taken away
BOUND = 60.0  # seconds after the last fault within which every video has ended
LOOK = 0.5  # seconds between two looks
AGAIN = 10.0  # seconds in which a fault is tried again: a process that is just being started cannot be killed
RUNNING = ("running", "done")

#: The servers that are taken away; the name of each one's fault.
OUTAGES = ("kafka-down", "redis-down", "azurite-down", "clamd-down", "database-down")


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One fault of a round."""

    #: Seconds after the round began.
    begin: float
    name: str
    #: A kind of process; empty where the fault's name says it.
    target: str
    #: How long it lasts; 0: it happens at once.
    seconds: float = 0.0

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.0f} s" if self.seconds else ""
        return f"{self.name} {self.target}".rstrip() + lasting


@dataclass(frozen=True, kw_only=True)
class Round:
    """What is done to the lab, and when."""

    number: int
    faults: tuple[Planned, ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a round."""

    number: int
    verdict: Verdict
    #: From the end of the last fault to the end of the last video, in seconds; less than 0: it ended before.
    seconds: float
    #: Faults that could not be run, with the reason.
    not_run: tuple[str, ...]

    @property
    def well(self) -> bool:
        return self.verdict.well and not self.not_run


# -- what will happen: pure


def kinds() -> tuple[str, ...]:
    """Every kind of process that is there to be killed; `init` has exited."""
    return tuple(kind.name for kind in make_spec() if not kind.once)


def plan(seed: int, rounds: int = ROUNDS) -> tuple[Round, ...]:
    """The rounds of that seed. In 20 rounds every kind is killed, each server is away, and much is paused."""
    chance = random.Random(seed)
    killed = _dealt(chance, kinds(), rounds * KILLS)
    away = _dealt(chance, OUTAGES, rounds)
    paused = _dealt(chance, [kind for kind in kinds() if kind.startswith(("worker", "consumer", "keeper"))], rounds)
    return tuple(_round(chance, number, killed, away, paused) for number in range(1, rounds + 1))


def _dealt(chance: random.Random, cards: Sequence[str], count: int) -> Iterator[str]:
    """So many cards, in a random order, each as often as the others."""
    deck = list(cards)
    chance.shuffle(deck)
    return islice(cycle(deck), count)


def _round(
    chance: random.Random, number: int, killed: Iterator[str], away: Iterator[str], paused: Iterator[str]
) -> Round:
    def when() -> float:
        return round(chance.uniform(0, SPAN), 1)

    kills = [Planned(begin=when(), name="kill", target=next(killed)) for _ in range(KILLS)]
    outage = Planned(begin=when(), name=next(away), target="", seconds=DOWN)
    lasting = round(chance.uniform(1, LONGEST_PAUSE), 1)
    pause = Planned(begin=when(), name="pause", target=next(paused), seconds=lasting)
    faults = [*(_when_there(kill, outage) for kill in kills), outage, pause]
    return Round(number=number, faults=tuple(sorted(faults, key=lambda fault: fault.begin)))


def _when_there(kill: Planned, outage: Planned) -> Planned:
    """A server that is away cannot be killed: it is when it is back, or where that is after `SPAN`, just before."""
    back = round(outage.begin + outage.seconds, 1)
    if outage.name != f"{kill.target}-down" or not outage.begin <= kill.begin < back:
        return kill
    return replace(kill, begin=back if back <= SPAN else round(outage.begin - BEFORE, 1))


# -- making it happen


def run_fault(lab: LocalLab, name: str, target: str, seconds: float) -> None:
    """Do a fault, and return when it is over. Raises CannotDo and UnknownProcess."""
    begun = lab.fault(name, target, seconds)
    while any(outage["id"] == begun["id"] for outage in lab.faults()):
        time.sleep(LOOK)


def run_round(
    lab: LocalLab,
    seed: int,
    planned: Round,
    videos: int,
    *,
    bound: float = BOUND,
    on_fault: Callable[[Planned], None] = lambda fault: None,
) -> Outcome:
    """One round, from the first upload to the verdict. The lab must be up; it is left as it was."""
    settings = lab.settings()
    with (
        Writer(settings.state, f"chaos-{seed}-{planned.number:02}") as writer,
        ThreadPoolExecutor(len(planned.faults) + 1, thread_name_prefix="chaos") as pool,
    ):
        begin = time.monotonic()
        sending = pool.submit(run, items(videos, SHORT, RATE), settings, writer)
        faults = [pool.submit(_in_time, lab, fault, begin, on_fault) for fault in planned.faults]
        not_run = tuple(reason for fault in faults if (reason := fault.result()))
        over = datetime.now(UTC)
        history = sending.result()
    seconds = settle(lab, history, over, bound)
    verdict = check(history, collect(lab, history.hashes), Terms(bound=bound, since=over))
    return Outcome(number=planned.number, verdict=verdict, seconds=seconds, not_run=not_run)


def _in_time(lab: LocalLab, fault: Planned, begin: float, on_fault: Callable[[Planned], None]) -> str | None:
    """Run a fault at its time; gives why it could not be run."""
    time.sleep(max(0.0, begin + fault.begin - time.monotonic()))
    on_fault(fault)
    deadline = time.monotonic() + AGAIN
    while True:
        try:
            run_fault(lab, fault.name, fault.target, fault.seconds)
            return None
        except (CannotDo, UnknownProcess, SupervisorSilent) as error:
            if time.monotonic() > deadline:
                return f"{fault}: {error}"
            time.sleep(LOOK)


def settle(lab: LocalLab, history: History, over: datetime, bound: float) -> float:
    """Wait until every video has ended and every process is there, or `bound` has passed; then the verdict is due.

    Gives the seconds from `over` to the last end.
    """
    deadline = time.monotonic() + bound - (datetime.now(UTC) - over).total_seconds()
    left = history.finalized
    with closing(Store(lab.settings())) as store:
        while time.monotonic() < deadline and (left or not _all_there(lab)):
            time.sleep(LOOK)
            left = _open(store, left)
        ends = [video.ended_at for video in store.snapshot(history.hashes).videos if video.ended_at]
    return (max(ends) - over).total_seconds() if ends else 0.0


def _open(store: Store, hashes: frozenset[str]) -> frozenset[str]:
    """Those of them that have not ended; all of them while the database is away."""
    with suppress(DependencyAway):
        return frozenset(video.video_hash for video in store.snapshot(hashes).videos if not video.ended)
    return hashes


def _all_there(lab: LocalLab) -> bool:
    return all(one.state in RUNNING for one in lab.status().processes)
