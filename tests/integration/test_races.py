"""Six workers that finish at the same moment, as real processes: exactly one of them gets the master playlist."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import pytest
from sqlalchemy import update

from tests.integration.test_store import preprocessed
from vidlab.models import State, jobs
from vidlab.processes import die_with_parent
from vidlab.profiles import MASTER, PROFILES
from vidlab.settings import Settings
from vidlab.store import Store

VIDEOS = (50, pytest.param(200, marks=pytest.mark.slow))
PATIENCE = 240.0  # seconds; only a test that fails waits that long

spawn = multiprocessing.get_context("spawn")


def finish_all(settings: Settings, stage: str, videos: list[str], start: Barrier, won: Queue[str]) -> None:
    """One worker: finish its rendition of each video just when the others finish theirs."""
    die_with_parent()
    store = Store(settings)
    for video_hash in videos:
        lease = store.claim(video_hash, stage)
        start.wait(PATIENCE)
        if lease is not None and store.finish_rendition(lease, {"segments": 1}) is not None:
            won.put(video_hash)
    store.close()


def queue_all(store: Store) -> None:
    """As if each consumer had handed over each message."""
    with store.database.write() as connection:
        mine = jobs.c.stage.in_([profile.name for profile in PROFILES])
        connection.execute(update(jobs).where(mine).values(state=State.QUEUED))


@pytest.mark.parametrize("count", VIDEOS)
def test_of_six_that_finish_at_once_one_claims_the_master(store: Store, settings: Settings, count: int) -> None:
    videos = [preprocessed(store) for _ in range(count)]
    queue_all(store)
    start, won = spawn.Barrier(len(PROFILES)), spawn.Queue()
    of_all = (videos, start, won)
    workers = [spawn.Process(target=finish_all, args=(settings, profile.name, *of_all)) for profile in PROFILES]
    for worker in workers:
        worker.start()
    winners = Counter(won.get(timeout=PATIENCE) for _ in videos)
    for worker in workers:
        worker.join(PATIENCE)
        assert worker.exitcode == 0
    assert won.empty()
    assert winners == dict.fromkeys(videos, 1)
    claims = [event for event in store.events(limit=100_000) if (event.kind, event.stage) == ("claimed", MASTER)]
    assert Counter(event.video_hash for event in claims) == dict.fromkeys(videos, 1)
    masters = [job for video_hash in videos for job in store.jobs(video_hash) if job.stage == MASTER]
    assert {(job.state, job.fence) for job in masters} == {(State.RUNNING, 1)}
