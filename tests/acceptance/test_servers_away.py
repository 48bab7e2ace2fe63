"""A server that is killed, stopped or emptied delays videos and loses nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import redis

from tests.acceptance.conditions import attempts, job, paused, scaled, span_is, state_of, tells, works
from tests.acceptance.footage import footage
from tests.lab import RunningLab
from tests.waiting import until
from vidlab import clips as table
from vidlab.models import State
from vidlab.profiles import profile_named

LOCK_WAIT = 30.0  # seconds
WAITS = "messages wait in the outbox"


# -- Kafka


def test_kafka_away_at_finalize_delays_the_video_and_loses_nothing(lab: RunningLab) -> None:
    tried = tells(lab, "keeper", WAITS)
    with paused(lab, "kafka"):
        video_hash = lab.send(table.make("tiny", lab.clips))
        assert lab.client.video(video_hash)["status"] == "preprocessing"
        until(tried, "the keeper has tried in vain")
        assert [row.key for row in lab.store.unsent(10)] == [video_hash]
    assert lab.ended(video_hash)["status"] == "completed"
    assert "posted_again" not in lab.kinds(video_hash)


def test_kafka_killed_with_messages_on_their_way_loses_none(lab: RunningLab) -> None:
    lab.local.kill("kafka")
    sent = [lab.send(table.make("tiny", lab.clips), title=str(number)) for number in range(3)]
    for video_hash in sent:
        assert lab.ended(video_hash)["status"] == "completed"
        kinds = lab.kinds(video_hash)
        assert kinds.count("completed") == 1
        assert "posted_again" not in kinds


# -- Redis


def test_redis_killed_while_a_task_runs_and_another_waits(lab: RunningLab, long_clip: str) -> None:
    second = lab.send(footage("long", lab.clips))
    until(works(lab, long_clip, "720p"), "720p is being worked on")
    lab.local.kill("redis")
    for video_hash in (long_clip, second):
        assert lab.ended(video_hash)["status"] == "completed"
        assert lab.kinds(video_hash).count("completed") == 1


def test_what_an_emptied_redis_has_lost_is_sent_again_once(lab: RunningLab) -> None:
    with scaled(lab, "worker-144p", 0), closing(redis.Redis.from_url(lab.settings.redis_url)) as server:
        lost = queued(lab)
        server.flushall()
        until(lambda: "sent_again" in lab.kinds(lost, "144p"), "the keeper has missed it")
        # The keeper looks twice more, and what waits again is not missed again.
        later = queued(lab)
        lose(server, later)
        until(lambda: "sent_again" in lab.kinds(later, "144p"), "the keeper has missed the other one")
    for video_hash in (lost, later):
        assert lab.ended(video_hash)["status"] == "completed"
        assert attempts(lab, video_hash, "144p") == [1]
        assert lab.kinds(video_hash, "144p").count("sent_again") == 1


def queued(lab: RunningLab) -> str:
    """A video of which only 144p is not done, and waits in Redis."""
    video_hash = lab.send(table.make("tiny", lab.clips))
    until(lambda: state_of(lab, video_hash, "144p") == State.QUEUED, "144p waits in Redis")
    until(lambda: state_of(lab, video_hash, "thumbnail") == State.DONE, "the others are done")
    return video_hash


def lose(server: redis.Redis, video_hash: str) -> None:
    """Take that video's task out of its queue."""
    queue = profile_named("144p").stage.queue
    tasks: Any = server.lrange(queue, 0, -1)
    (task,) = [task for task in tasks if video_hash.encode() in task]
    assert server.lrem(queue, 1, task) == 1


# -- the scanner


def test_the_scanner_killed_makes_the_video_wait_and_lets_nothing_through(lab: RunningLab) -> None:
    lab.local.pause("clamd")  # it takes what is sent and does not answer, so that it dies in the midst of a scan
    try:
        video_hash = lab.send(table.make("tiny", lab.clips))
        until(lambda: span_is(lab, video_hash, "preprocessing", "scan", "open"), "the scan has begun")
    finally:
        lab.local.kill("clamd")
    until(lambda: "waiting_for_server" in lab.kinds(video_hash, "preprocessing"), "the video waits")
    assert {span.name for span in lab.store.spans(video_hash)} <= {"upload", "queue", "preprocessing", "scan"}
    assert lab.ended(video_hash)["status"] == "completed"
    assert set(attempts(lab, video_hash, "preprocessing")) == {1}  # a server that is away uses up none
    details = [one.detail for one in lab.store.events(video_hash) if one.kind == "queued"]
    assert "its pause is over" in details


# -- SQLite


@contextmanager
def locked_database(lab: RunningLab) -> Iterator[None]:
    """Nobody else can write."""
    path = lab.settings.database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None, timeout=LOCK_WAIT)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@pytest.mark.local_only  # it holds the file of SQLite
def test_a_database_that_is_locked_for_long_stops_no_transcode(lab: RunningLab, long_clip: str) -> None:
    until(works(lab, long_clip, "720p"), "720p is being worked on")
    owner = getattr(job(lab, long_clip, "720p"), "owner", "")
    no_beat = tells(lab, owner, "no beat")
    no_poll = tells(lab, "keeper", "round failed", "free leases")
    with locked_database(lab):
        until(no_beat, "the worker could not beat")
        until(no_poll, "the keeper could not look")
    video = lab.ended(long_clip)
    assert video["status"] == "completed", video["error"]
    assert {len(attempts(lab, long_clip, stage)) for stage in ("144p", "720p", "thumbnail")} == {1}
    assert "lease_expired" not in lab.kinds(long_clip)
    assert lab.kinds(long_clip).count("completed") == 1
