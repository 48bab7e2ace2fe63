"""Workers that are killed, stopped, scaled or overtaken by a delete: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.acceptance.conditions import attempts, event, job, names, paused, restarts, scaled, state_of, tells, works
from tests.acceptance.footage import footage
from tests.lab import RunningLab
from tests.waiting import until
from vidlab import paths
from vidlab.models import State

TAKEN_OVER = 15.0  # seconds; the bound that the contracts promise


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


def test_a_paused_worker_that_wakes_after_its_lease_was_taken_changes_nothing(lab: RunningLab, long_clip: str) -> None:
    until(works(lab, long_clip, "720p"), "720p is being worked on")
    owner = getattr(job(lab, long_clip, "720p"), "owner", "")
    gave_up = tells(lab, owner, "ended early", long_clip, "720p")
    with paused(lab, owner):
        lab.local.scale("worker-720p", 2)
        video = lab.ended(long_clip)
        published = published_files(lab, long_clip, "720p")
    assert video["status"] == "completed", video["error"]
    until(gave_up, "the woken worker has tried all that it will")
    assert published_files(lab, long_clip, "720p") == published
    assert {getattr(blob, "fence", None) for blob in published.values()} == {2}
    assert lab.kinds(long_clip, "720p").count("done") == 1
    lab.local.scale("worker-720p", 1)
    until(lambda: "worker-720p.2" not in names(lab), "the second worker is gone")


def published_files(lab: RunningLab, video_hash: str, profile: str) -> dict[str, object]:
    """What storage knows of each file of a rendition."""
    return {
        path: lab.storage.head(path) for path in lab.storage.list_paths(paths.rendition_prefix(video_hash, profile))
    }


def test_a_worker_that_is_too_many_finishes_its_task_first(lab: RunningLab, long_clip: str) -> None:
    until(works(lab, long_clip, "720p"), "720p is being worked on")
    with scaled(lab, "worker-720p", 0):
        assert state_of(lab, long_clip, "720p") == State.DONE
    assert lab.ended(long_clip)["status"] == "completed"
    assert attempts(lab, long_clip, "720p") == [1]
    assert not {"handed_back", "lease_expired"} & set(lab.kinds(long_clip, "720p"))


@pytest.mark.slow
def test_redis_away_just_when_a_task_is_acknowledged_stops_no_worker(lab: RunningLab, long_clip: str) -> None:
    until(works(lab, long_clip, "720p"), "720p is being worked on")
    earlier = restarts(lab, "worker-720p")
    noticed = tells(lab, "worker-720p.1", "begins anew")
    with paused(lab, "redis"):
        until(lambda: state_of(lab, long_clip, "720p") == State.DONE, "720p is done without Redis")
        until(noticed, "the worker has noticed")
    assert lab.ended(long_clip)["status"] == "completed"
    until(lambda: restarts(lab, "worker-720p") > earlier, "the worker has begun anew")
    before = restarts(lab, "worker-720p")
    assert lab.ended(lab.send(footage("long", lab.clips)))["status"] == "completed"
    assert restarts(lab, "worker-720p") == before  # what is acknowledged is no reason to begin anew


def test_a_video_deleted_while_it_is_worked_on_leaves_no_blob(lab: RunningLab, long_clip: str) -> None:
    until(works(lab, long_clip, "720p"), "720p is being worked on")
    url = f"{lab.settings.api_url}/videos/{long_clip}"
    assert httpx.delete(url, trust_env=False).status_code == 202
    assert httpx.get(url, trust_env=False).status_code == 404
    until(lambda: "deleted" in lab.kinds(long_clip), "the keeper has removed it")
    assert list(lab.storage.list_paths(f"{long_clip}/")) == []
    assert lab.store.jobs(long_clip) == []
