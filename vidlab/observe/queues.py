"""The Celery queues: what waits in each, and what is being worked on."""

from __future__ import annotations

from collections import Counter
from contextlib import closing, nullcontext
from dataclasses import dataclass

from vidlab.jobs import Queues
from vidlab.models import State
from vidlab.profiles import queue_of, stages
from vidlab.settings import Settings
from vidlab.store import Store


@dataclass(frozen=True)
class Queue:
    """One queue now."""

    queue: str
    #: Tasks in Redis that no worker has taken.
    waiting: int
    #: Jobs with a lease: what workers do.
    running: int


def queues(settings: Settings, store: Store | None = None) -> list[Queue]:
    """Every queue, in the order of the pipeline. Raises DependencyAway."""
    waiting = Queues(settings).lengths()
    with nullcontext(store) if store else closing(Store(settings)) as asked:
        running = Counter(queue_of(job.stage) for job in asked.in_state(State.RUNNING))
    return [Queue(stage.queue, waiting[stage.queue], running[stage.queue]) for stage in stages()]
