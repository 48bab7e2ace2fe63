"""The fan-out: one message, six consumer groups, and each hands on to a Celery queue of its own.

Every group reads the whole topic, so that a new one can be added without touching the producer. A consumer does no
work: it notes in the database that the job is queued, puts it into its queue, and only then commits the offset.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import structlog

from vidlab.bus import Bus, Loop, Subscription
from vidlab.events import Message
from vidlab.jobs import Queues
from vidlab.profiles import Stage
from vidlab.settings import Settings
from vidlab.store import Store

log = structlog.get_logger()


@dataclass(frozen=True)
class HandOver:
    """From a stage's consumer group to its Celery queue."""

    stage: Stage
    store: Store
    queues: Queues

    def __call__(self, message: Message) -> None:
        """Put the job into its queue, unless there is nothing to do. Raises DependencyAway; then nothing is lost."""
        with structlog.contextvars.bound_contextvars(video_hash=message.video_hash, event_id=message.event_id):
            if not self.store.enqueue(message.video_hash, self.stage.name, message.source_etag):
                log.info("nothing to do")
                return
            self.queues.send(message.video_hash, self.stage.name, message.traceparent)
            log.info("handed over", queue=self.stage.queue)

    def is_full(self) -> bool:
        return self.queues.is_full(self.stage.queue)


def consume(stage: Stage, settings: Settings, on_ready: Callable[[str], None], stopping: Callable[[], bool]) -> None:
    """Run the consumer of that stage until it is told to stop."""
    with closing(Store(settings, announce=True)) as store:
        hand_over = HandOver(stage, store, Queues(settings))
        subscription = Subscription(
            topic=stage.topic,
            group=stage.group,
            handle=hand_over,
            is_full=hand_over.is_full,
            on_ready=on_ready,
            stopping=stopping,
        )
        Loop(settings, subscription, Bus(settings)).run()
