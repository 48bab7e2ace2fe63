"""Celery: the app, its queues, and what it must not do by itself.

The lease in the database decides who works, and only the keeper sends again. So Celery neither retries nor delays
(both wait in a worker's memory), and Redis must not hand a task out a second time while it runs: the visibility
time-out lies beyond any task's life.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from vidlab.errors import DependencyAway
from vidlab.profiles import queue_of, stages
from vidlab.settings import Settings

NEVER = 10 * 365 * 24 * 3600  # seconds
CONNECT_TIMEOUT = 2.0  # seconds
ANSWER_TIMEOUT = 5.0  # seconds
WORKER_FRESH = 6  # seconds after its last sign a worker counts as there
TASKS_PER_WORKER = 2  # what a queue holds for each of its workers before consumers pause

#: The one task: its arguments say which job it is.
TASK = "vidlab.work"

#: The hash in which kombu keeps what a worker has taken and not yet acknowledged.
UNACKED = "unacked"

_TRANSPORT = {
    "visibility_timeout": NEVER,
    "socket_connect_timeout": CONNECT_TIMEOUT,
    "socket_timeout": ANSWER_TIMEOUT,
    "retry_on_timeout": False,
}


def make_app(settings: Settings) -> Celery:
    """A Celery app for that broker."""
    app = Celery("vidlab", broker=settings.redis_url, backend=settings.redis_url)
    app.conf.update(
        # A task is acknowledged after its result is stored; a worker takes one at a time and hoards none.
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_concurrency=1,
        task_ignore_result=True,  # the result is in the database
        task_create_missing_queues=True,
        task_serializer="json",
        accept_content=["json"],
        broker_transport_options=_TRANSPORT,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # Redis may be away for long
        worker_cancel_long_running_tasks_on_connection_loss=False,  # the lease, not the connection, counts
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=settings.monitored,
        worker_enable_remote_control=False,
        timezone="UTC",
    )
    return app


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task as Redis holds it; hash and job are empty when it is none of ours."""

    queue: str
    video_hash: str
    job: str
    #: A worker has it in hand, or died with it: nobody gets it again.
    taken: bool


class Queues:
    """The Celery queues as the consumers and the keeper see them. Raises DependencyAway when Redis does not answer."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app = make_app(settings)
        # Who sends tries again by itself: kombu's own tries would hold a consumer, or the keeper, up for 6 s per task.
        self.app.conf.broker_transport_options = _TRANSPORT | {"max_retries": 0}
        self.redis = redis.Redis.from_url(
            settings.redis_url, socket_connect_timeout=CONNECT_TIMEOUT, socket_timeout=ANSWER_TIMEOUT
        )

    def send(self, video_hash: str, job: str, traceparent: str | None = None) -> None:
        """Put a job into its queue."""
        headers = {"video_hash": video_hash, "job": job, "traceparent": traceparent}
        try:
            # Without ignore_result each sending would subscribe to a channel of its own for the answer.
            self.app.send_task(
                TASK, (video_hash, job), queue=queue_of(job), headers=headers, retry=False, ignore_result=True
            )
        except (OperationalError, RedisError, OSError) as error:
            raise DependencyAway(name="redis", why=str(error)) from error

    def lengths(self) -> dict[str, int]:
        """Tasks waiting in each queue; what a worker has taken is not among them."""
        names = [stage.queue for stage in stages()]
        with _told(), self.redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.llen(name)
            return dict(zip(names, pipeline.execute(), strict=True))

    def waiting(self) -> set[tuple[str, str]]:
        """(video_hash, job) of every task that waits in a queue."""
        found: set[tuple[str, str]] = set()
        for stage in stages():
            with _told():
                tasks: Any = self.redis.lrange(stage.queue, 0, -1)
            found |= {_job_of(task) for task in tasks}
        return found

    def tasks(self) -> list[Task]:
        """Every task that Redis knows: those that wait, then those that were taken and not acknowledged."""
        found = []
        for stage in stages():
            with _told():
                waiting: Any = self.redis.lrange(stage.queue, 0, -1)
            found += [_task(stage.queue, task, taken=False) for task in waiting]
        with _told():
            taken: Any = self.redis.hvals(UNACKED)
        return found + [_task(*_taken(entry), taken=True) for entry in taken]

    def is_full(self, queue: str) -> bool:
        """Does the queue hold what its workers need to go on, and no room for more?"""
        with _told():
            length: Any = self.redis.llen(queue)
        return bool(length >= self._limit(queue))

    def _limit(self, queue: str) -> int:
        return self.settings.queue_limit or TASKS_PER_WORKER * max(1, self.workers(queue))

    # -- workers tell that they are there, by the clock of Redis alone

    def sign_in(self, queue: str, worker: str) -> None:
        """A worker of that queue is there; to be repeated within `WORKER_FRESH` seconds."""
        with _told():
            self.redis.zadd(_workers_key(queue), {worker: self._time()})

    def sign_out(self, queue: str, worker: str) -> None:
        with _told():
            self.redis.zrem(_workers_key(queue), worker)

    def workers(self, queue: str) -> int:
        """How many workers of that queue are there."""
        with _told():
            count: Any = self.redis.zcount(_workers_key(queue), self._time() - WORKER_FRESH, "+inf")
        return int(count)

    def _time(self) -> int:
        answer: Any = self.redis.time()
        return int(answer[0])

    def ping(self) -> None:
        with _told():
            self.redis.ping()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise DependencyAway(name="redis", why=str(error)) from error


def _workers_key(queue: str) -> str:
    return f"vidlab:workers:{queue}"


def _job_of(task: bytes) -> tuple[str, str]:
    """Of what anyone may have put there by hand; what is no task of ours is nobody's job."""
    try:
        headers = json.loads(task)["headers"]
        return str(headers["video_hash"]), str(headers["job"])
    except (ValueError, LookupError, TypeError):
        return "", ""


def _task(queue: str, task: bytes, *, taken: bool) -> Task:
    video_hash, job = _job_of(task)
    return Task(queue=queue, video_hash=video_hash, job=job, taken=taken)


def _taken(entry: bytes) -> tuple[str, bytes]:
    """The queue and the task of what kombu keeps as [message, exchange, routing key]."""
    try:
        message, _, queue = json.loads(entry)
        return str(queue), json.dumps(message).encode()
    except ValueError:
        return "", b""
