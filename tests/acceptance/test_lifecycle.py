"""A lab on PostgreSQL that goes down and comes up again, or loses its database, or a process between two steps.

Here the tests can hold a single row, and so keep a process just where its death would do most harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from tests.acceptance.conditions import attempts, away, job, paused, span_is, state_of, tells, works
from tests.lab import RunningLab, running_lab
from tests.postgres import Postgres, fresh_database
from tests.waiting import until
from vidlab import clips as table
from vidlab import paths
from vidlab.lab.identity import MARK
from vidlab.models import State
from vidlab.profiles import MASTER

pytestmark = pytest.mark.local_only  # a lab with a PostgreSQL and settings of its own

#: A lease is free sooner than in people's labs, so that the tests wait less.
BEATS_MISSED = 6

#: What holds a row: one who wants to change it waits, one who only refers to it does not.
JOB = "SELECT 1 FROM jobs WHERE video_hash = %s AND stage = '144p' FOR UPDATE"
VIDEO = "SELECT 1 FROM videos WHERE video_hash = %s FOR NO KEY UPDATE"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, clips: Path, postgres: Postgres) -> Iterator[RunningLab]:
    """A lab of its own, beside the session's."""
    settings = {"VIDLAB_RETRY_SECONDS": "0.5", "VIDLAB_BEATS_MISSED": str(BEATS_MISSED)}
    with (
        fresh_database(postgres, "lifecycle") as url,
        running_lab(tmp_path_factory.mktemp("lifecycle"), clips, VIDLAB_DATABASE_URL=url, **settings) as running,
    ):
        yield running


def processes_of(lab: RunningLab) -> list[str]:
    """What runs of that lab, by its mark in the environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == lab.local.folder.lab_id:
                found.append(process.name())
        except psutil.Error:
            continue
    return found


@contextmanager
def held(lab: RunningLab, row: str, video_hash: str) -> Iterator[Callable[[], bool]]:
    """Hold a row of that video; gives a condition: somebody waits for it."""
    with psycopg.connect(lab.settings.database_url) as holding, psycopg.connect(lab.settings.database_url) as asking:
        asking.autocommit = True
        holding.execute(row.encode(), (video_hash,))
        yield lambda: asking.execute(WAITING.encode()).fetchone() != (0,)


def test_a_lab_taken_down_in_the_midst_of_work_goes_on_with_it(lab: RunningLab, long_clip: str) -> None:
    waits = lab.send(table.make("tiny", lab.clips))
    until(works(lab, long_clip, "720p"), "720p is being worked on")
    lab.local.down()
    assert processes_of(lab) == []
    assert state_of(lab, long_clip, "720p") == State.QUEUED
    assert "handed_back" in lab.kinds(long_clip, "720p")
    lab.local.up()
    for each in (long_clip, waits):
        video = lab.ended(each)
        assert video["status"] == "completed", video["error"]
        assert lab.played(video).problems == ()
        assert lab.kinds(each).count("completed") == 1
    assert max(job.attempt for job in lab.store.jobs(long_clip)) == 1  # what was handed back does not count


@pytest.mark.slow
def test_postgresql_stopped_and_started_again_stops_no_transcode(
    lab: RunningLab, long_clip: str, postgres: Postgres
) -> None:
    until(works(lab, long_clip, "720p"), "720p is being worked on")
    no_beat = tells(lab, "worker-720p.1", "no beat")
    # More polls than a lease lasts: those that the database did not answer must not count.
    no_polls = tells(lab, "keeper", "round failed", "free leases", times=BEATS_MISSED + 1)
    with postgres.stopped():
        until(no_beat, "the worker could not beat")
        asked = httpx.get(f"{lab.settings.api_url}/videos/{long_clip}", trust_env=False)
        assert (asked.status_code, "retry-after" in asked.headers) == (503, True)
        until(no_polls, "the keeper could not look")
    video = lab.ended(long_clip)
    assert video["status"] == "completed", video["error"]
    assert lab.played(video).problems == ()
    assert [attempts(lab, long_clip, stage) for stage in ("144p", "720p", "thumbnail", MASTER)] == [[1]] * 4
    assert "lease_expired" not in lab.kinds(long_clip)


def test_who_dies_with_the_master_in_hand_is_replaced_and_the_video_is_completed_once(lab: RunningLab) -> None:
    with ExitStack() as stack:
        with paused(lab, "worker-144p"):
            video_hash = lab.send(table.make("tiny", lab.clips))
            until(lambda: state_of(lab, video_hash, "thumbnail") == State.DONE, "only 144p is not done")
            somebody_waits = stack.enter_context(held(lab, VIDEO, video_hash))
        until(lambda: span_is(lab, video_hash, "144p", "upload", "ok") and somebody_waits(), "144p is about to finish")
        with paused(lab, "azurite"):
            stack.close()
            until(lambda: state_of(lab, video_hash, MASTER) == State.RUNNING, "somebody has the master in hand")
            assert lab.client.video(video_hash)["status"] == "processing"
            lab.local.kill(str(getattr(job(lab, video_hash, MASTER), "owner", "")))
    video = lab.ended(video_hash)
    assert video["status"] == "completed", video["error"]
    assert lab.played(video).problems == ()
    assert attempts(lab, video_hash, MASTER) == [1, 2]
    assert lab.kinds(video_hash).count("completed") == 1
    assert getattr(lab.storage.head(paths.master_path(video_hash)), "fence", 0) == 2


def test_a_consumer_killed_between_hand_over_and_commit_has_the_work_done_once(lab: RunningLab) -> None:
    with ExitStack() as stack:
        with paused(lab, "consumer-144p"):
            video_hash = lab.send(table.make("tiny", lab.clips))
            until(lambda: state_of(lab, video_hash, "thumbnail") == State.DONE, "the others have handed over")
            somebody_waits = stack.enter_context(held(lab, JOB, video_hash))
        until(somebody_waits, "the consumer has the message")
        with away(lab, "kafka"):  # one that is paused would find the commit in its socket
            stack.close()
            until(lambda: state_of(lab, video_hash, "144p") == State.DONE, "what was handed over is done")
            lab.local.kill("consumer-144p")
    until(lambda: "message_ignored" in lab.kinds(video_hash, "144p"), "the next consumer has the message again")
    assert lab.ended(video_hash)["status"] == "completed"
    assert attempts(lab, video_hash, "144p") == [1]
    assert [lab.kinds(video_hash).count(kind) for kind in ("completed", "posted_again")] == [1, 0]
