"""The Celery queues on a real Redis: how much they hold, for how many workers, and what stands in them."""

from __future__ import annotations

import json
import threading
from socketserver import BaseRequestHandler, TCPServer
from typing import Any

import pytest
import redis

from tests.postgres import free_port
from vidlab.errors import DependencyAway
from vidlab.jobs import TASK, WORKER_FRESH, Queues, make_app
from vidlab.profiles import MASTER, stages
from vidlab.settings import Settings

QUEUE = "video_processing_360p"
VIDEO = "a" * 32


@pytest.fixture
def job_settings(redis_of_the_session: str, broker: redis.Redis) -> Settings:
    return Settings(redis_url=redis_of_the_session)


@pytest.fixture
def queues(job_settings: Settings) -> Queues:
    return Queues(job_settings)


def room(queues: Queues, queue: str = QUEUE) -> int:
    """How many tasks go into an empty queue until it is full."""
    for number in range(20):
        if queues.is_full(queue):
            return number
        queues.redis.rpush(queue, "task")
    raise AssertionError("it is never full")


# -- how much a queue holds


def test_without_a_worker_a_queue_holds_what_one_needs(queues: Queues) -> None:
    assert room(queues) == 2


@pytest.mark.parametrize(("workers", "tasks"), [(1, 2), (2, 4), (3, 6)])
def test_a_queue_holds_two_tasks_for_each_of_its_workers(queues: Queues, workers: int, tasks: int) -> None:
    for number in range(workers):
        queues.sign_in(QUEUE, f"worker-360p.{number}")
        queues.sign_in("video_processing_480p", f"worker-480p.{number}")
    assert room(queues) == tasks


def test_who_signs_in_again_is_one_and_who_signed_out_is_none(queues: Queues) -> None:
    for name in ("a", "a", "b", "c"):
        queues.sign_in(QUEUE, name)
    queues.sign_out(QUEUE, "c")
    assert queues.workers(QUEUE) == 2


def test_a_worker_that_has_given_no_sign_for_a_while_is_not_counted(queues: Queues, broker: redis.Redis) -> None:
    now: Any = broker.time()
    queues.sign_in(QUEUE, "alive")
    broker.zadd(f"vidlab:workers:{QUEUE}", {"dead": now[0] - WORKER_FRESH - 1})
    assert queues.workers(QUEUE) == 1
    assert room(queues) == 2


def test_a_limit_that_is_set_counts_whoever_is_there(job_settings: Settings) -> None:
    queues = Queues(job_settings.model_copy(update={"queue_limit": 5}))
    for name in ("a", "b", "c"):
        queues.sign_in(QUEUE, name)
    assert room(queues) == 5


# -- what stands in a queue


@pytest.mark.parametrize("job", [*(stage.name for stage in stages()), MASTER])
def test_a_job_stands_in_its_queue_until_it_is_taken(queues: Queues, broker: redis.Redis, job: str) -> None:
    queues.send(VIDEO, job, "00-x-y-01")
    assert queues.waiting() == {(VIDEO, job)}
    (queue,) = [name for name, length in queues.lengths().items() if length]
    assert queue == {"master": "preprocessing", "preprocessing": "preprocessing"}.get(job, f"video_processing_{job}")
    assert broker.lpop(queue)
    assert queues.waiting() == set()


def test_a_task_says_which_job_it_is_and_expects_no_answer(queues: Queues, broker: redis.Redis) -> None:
    queues.send(VIDEO, "360p", "00-x-y-01")
    (raw,) = broker.lrange(QUEUE, 0, -1)
    headers = json.loads(raw)["headers"]
    told = ("task", "video_hash", "job", "traceparent", "ignore_result", "retries", "eta")
    assert [headers[name] for name in told] == [TASK, VIDEO, "360p", "00-x-y-01", True, 0, None]
    assert set(broker.keys()) - {b"_kombu.binding." + QUEUE.encode()} == {QUEUE.encode()}


def test_what_others_put_there_is_nobodys_job(queues: Queues, broker: redis.Redis) -> None:
    broker.rpush(QUEUE, "not JSON", "[]", '{"headers": null}')
    assert queues.waiting() == {("", "")}


# -- what Celery must not do by itself


def test_a_task_is_acknowledged_late_taken_one_at_a_time_and_never_handed_out_twice() -> None:
    app = make_app(Settings())
    wanted = {
        "task_acks_late": True,
        "worker_prefetch_multiplier": 1,
        "worker_concurrency": 1,
        "task_ignore_result": True,
        "accept_content": ["json"],
        "broker_connection_max_retries": None,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
    }
    assert {name: getattr(app.conf, name) for name in wanted} == wanted
    assert app.conf.broker_transport_options["visibility_timeout"] == 315_360_000  # seconds: ten years
    assert app.conf.broker_transport_options["retry_on_timeout"] is False
    app.close()


# -- when it is away


def test_a_redis_that_is_away_is_told_by_its_name() -> None:
    queues = Queues(Settings(redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    asked = (
        lambda: queues.send(VIDEO, "360p"),
        queues.lengths,
        queues.waiting,
        lambda: queues.is_full(QUEUE),
        lambda: queues.sign_in(QUEUE, "a"),
        lambda: queues.sign_out(QUEUE, "a"),
        queues.ping,
    )
    for ask in asked:
        with pytest.raises(DependencyAway, match="redis does not answer"):
            ask()


def test_a_task_that_cannot_be_sent_is_tried_once_and_holds_nobody_up() -> None:
    calls = []

    class HangUp(BaseRequestHandler):
        def handle(self) -> None:
            calls.append(self.client_address)

    with TCPServer(("127.0.0.1", 0), HangUp) as hanging_up:
        thread = threading.Thread(target=hanging_up.serve_forever)
        thread.start()
        port = hanging_up.server_address[1]
        with pytest.raises(DependencyAway, match="redis does not answer"):
            Queues(Settings(redis_url=f"redis://127.0.0.1:{port}/0")).send(VIDEO, "360p")
        hanging_up.shutdown()
        thread.join()
    assert len(calls) == 1
