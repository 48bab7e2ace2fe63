"""What is killed, stopped or away loses nothing: the first few of many faults."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest

from tests.lab import RunningLab
from vidlab import clips as table
from vidlab import paths
from vidlab.bus import Bus
from vidlab.models import Event, Job, State
from vidlab.profiles import dead_letter_topic, stages

TAKEN_OVER = 15.0  # seconds; the bound that the contracts promise
PATIENCE = 60.0  # seconds


def until(true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Wait for a condition. Fails with its name."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still not: {what}"
        time.sleep(0.05)


def job(lab: RunningLab, video_hash: str, stage: str) -> Job | None:
    return next((job for job in lab.store.jobs(video_hash) if job.stage == stage), None)


def works(lab: RunningLab, video_hash: str, stage: str) -> Callable[[], bool]:
    """Has a worker come some way with this job?"""

    def check() -> bool:
        found = job(lab, video_hash, stage)
        assert found is None or found.state != State.DONE, "it was done before the fault came"
        return found is not None and found.state == State.RUNNING and found.progress > 0

    return check


def event(lab: RunningLab, video_hash: str, kind: str, stage: str, attempt: int) -> Event:
    events = lab.store.events(video_hash)
    return next(e for e in events if (e.kind, e.stage, e.attempt) == (kind, stage, attempt))


@contextmanager
def paused(lab: RunningLab, name: str) -> Iterator[None]:
    lab.local.pause(name)
    try:
        yield
    finally:
        lab.local.resume(name)


@pytest.fixture
def long_clip(lab: RunningLab) -> str:
    """A video whose 720p takes some seconds."""
    return lab.send(table.make("landscape", lab.clips))


def test_a_worker_killed_mid_transcode_is_replaced_within_the_bound(lab: RunningLab, long_clip: str) -> None:
    until(works(lab, long_clip, "720p"), "720p is being worked on")
    killed = time.time()
    lab.local.kill("worker-720p")
    video = lab.ended(long_clip)
    assert video["status"] == "completed", video["error"]
    again = event(lab, long_clip, "claimed", "720p", attempt=2)
    assert again.at.timestamp() - killed < TAKEN_OVER
    assert "lease_expired" in lab.kinds(long_clip, "720p")
    assert lab.played(video).problems == ()
    assert {"lost", "ok"} == {span.status for span in lab.store.spans(long_clip) if span.stage == "720p"}


def test_kafka_down_at_finalize_delays_the_video_and_loses_nothing(lab: RunningLab) -> None:
    with paused(lab, "kafka"):
        video_hash = lab.send(table.make("tiny", lab.clips))
        assert lab.client.video(video_hash)["status"] == "preprocessing"
        assert [row.key for row in lab.store.unsent(10)] == [video_hash]
        time.sleep(2)  # the relay tries in vain meanwhile
        assert [row.key for row in lab.store.unsent(10)] == [video_hash]
    assert lab.ended(video_hash)["status"] == "completed"


def test_redis_killed_while_a_task_runs_and_another_waits(lab: RunningLab, long_clip: str) -> None:
    second = lab.send(table.make("landscape", lab.clips))
    until(works(lab, long_clip, "720p"), "720p is being worked on")
    lab.local.kill("redis")
    for video_hash in (long_clip, second):
        assert lab.ended(video_hash)["status"] == "completed"
        assert lab.kinds(video_hash).count("completed") == 1


def test_redis_away_just_when_a_task_is_acknowledged_stops_no_worker(lab: RunningLab, long_clip: str) -> None:
    until(works(lab, long_clip, "720p"), "720p is being worked on")
    earlier = restarts(lab, "worker-720p")
    with paused(lab, "redis"):
        until(lambda: getattr(job(lab, long_clip, "720p"), "state", "") == State.DONE, "720p is done without Redis")
        until(lambda: "begins anew" in lab.local.logs("worker-720p"), "the worker has noticed")
    assert lab.ended(long_clip)["status"] == "completed"
    until(lambda: restarts(lab, "worker-720p") > earlier, "the worker has begun anew")
    before = restarts(lab, "worker-720p")
    assert lab.ended(lab.send(table.make("landscape", lab.clips)))["status"] == "completed"
    assert restarts(lab, "worker-720p") == before  # what is acknowledged is no reason to begin anew


def restarts(lab: RunningLab, name: str) -> int:
    return lab.local.status().process(name).restarts


def test_a_paused_worker_that_wakes_after_its_lease_was_taken_changes_nothing(lab: RunningLab, long_clip: str) -> None:
    until(works(lab, long_clip, "720p"), "720p is being worked on")
    owner = getattr(job(lab, long_clip, "720p"), "owner", "")
    before = {one.name for one in lab.local.status().processes}
    with paused(lab, owner):
        lab.local.scale("worker-720p", 2)
        video = lab.ended(long_clip)
    assert video["status"] == "completed", video["error"]
    storage = lab.storage
    prefix = paths.rendition_prefix(long_clip, "720p")
    published = {path: storage.head(path) for path in storage.list_paths(prefix)}
    until(lambda: not lease_kept(lab, owner, long_clip), "the woken worker has stopped")
    assert {path: storage.head(path) for path in storage.list_paths(prefix)} == published
    assert {blob.fence for blob in published.values() if blob} == {2}
    assert lab.kinds(long_clip, "720p").count("done") == 1
    lab.local.scale("worker-720p", 1)
    until(lambda: {one.name for one in lab.local.status().processes} == before, "the second worker is gone")


def lease_kept(lab: RunningLab, owner: str, video_hash: str) -> bool:
    """Does this process still have an ffmpeg for this video?"""
    pid = lab.local.status().process(owner).pid
    children = psutil.Process(pid).children(recursive=True) if pid else []
    return any("ffmpeg" in child.name() for child in children)


def test_a_message_that_nobody_can_read_is_parked_and_blocks_no_group(lab: RunningLab) -> None:
    topic = stages()[1].topic
    key = "poison"
    bus = Bus(lab.settings)
    bus.publish(topic, key, "this is not JSON")
    bus.publish(topic, key, '{"version": 99}')
    video = lab.ended(lab.send(table.make("tiny", lab.clips)))
    assert video["status"] == "completed"
    groups = {stage.group for stage in stages() if stage.topic == topic}
    found = parked(lab, dead_letter_topic(topic), expected=2 * len(groups))
    assert sorted(headers["group"] for headers in found) == sorted([*groups, *groups])
    assert all({"partition", "offset", "reason"} <= headers.keys() for headers in found)


def parked(lab: RunningLab, topic: str, expected: int) -> list[dict[str, str]]:
    """The headers of what stands on a dead letter topic."""
    from confluent_kafka import Consumer

    consumer = Consumer(
        {"bootstrap.servers": lab.settings.kafka, "group.id": "test-dead", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    found: list[dict[str, str]] = []
    deadline = time.monotonic() + PATIENCE
    while len(found) < expected and time.monotonic() < deadline:
        record = consumer.poll(0.5)
        if record is not None and not record.error():
            headers: Any = record.headers() or []
            found.append({name: value.decode() for name, value in headers})
    consumer.close()
    return found


def test_a_message_and_a_task_delivered_twice_do_the_work_once(lab: RunningLab) -> None:
    video_hash = lab.send(table.make("tiny", lab.clips))
    assert lab.ended(video_hash)["status"] == "completed"
    video = lab.store.video(video_hash)
    from vidlab.events import new_message
    from vidlab.jobs import Queues

    again = new_message("video_processing", video_hash, video.source_etag or "", f"00-{video_hash}-{'1' * 16}-01")
    Bus(lab.settings).publish("video_processing", video_hash, again.to_json())
    Queues(lab.settings).send(video_hash, "144p")
    until(lambda: "refused" in lab.kinds(video_hash, "144p"), "the repeated task is refused")
    until(lambda: "message_ignored" in lab.kinds(video_hash, "144p"), "the repeated message is ignored")
    assert lab.kinds(video_hash, "144p").count("claimed") == 1
    assert lab.kinds(video_hash).count("completed") == 1


def test_the_scanner_away_makes_the_video_wait_and_lets_nothing_through(lab: RunningLab) -> None:
    with paused(lab, "clamd"):
        video_hash = lab.send(table.make("tiny", lab.clips))
        until(lambda: "claimed" in lab.kinds(video_hash, "preprocessing"), "preprocessing has begun")
        time.sleep(3)
        assert {span.name for span in lab.store.spans(video_hash)} <= {"upload", "queue", "preprocessing", "scan"}
    assert lab.ended(video_hash)["status"] == "completed"


def test_a_video_deleted_while_it_is_worked_on_leaves_no_blob(lab: RunningLab, long_clip: str) -> None:
    until(works(lab, long_clip, "720p"), "720p is being worked on")
    url = f"{lab.settings.api_url}/videos/{long_clip}"
    assert httpx.delete(url, trust_env=False).status_code == 202
    assert httpx.get(url, trust_env=False).status_code == 404
    until(lambda: "deleted" in lab.kinds(long_clip), "the keeper has removed it")
    assert list(lab.storage.list_paths(f"{long_clip}/")) == []
    assert lab.store.jobs(long_clip) == []


def test_the_backlog_stands_in_kafka_where_lag_shows_it(lab: RunningLab) -> None:
    from vidlab.observe.kafka import lag
    from vidlab.observe.queues import queues

    with paused(lab, "worker-thumbnail"):
        sent = [lab.send(table.make("tiny", lab.clips), title=str(number)) for number in range(6)]
        group = "video_processing_thumbnail"

        def behind() -> int:
            return sum(row.lag for row in lag(lab.settings) if row.group == group)

        until(lambda: behind() >= 3, "the thumbnail group lags")
        waiting = {row.queue: row.waiting for row in queues(lab.settings)}
        assert waiting[group] <= 3
    assert {lab.ended(video_hash)["status"] for video_hash in sent} == {"completed"}
    until(lambda: behind() == 0, "the lag is gone")
