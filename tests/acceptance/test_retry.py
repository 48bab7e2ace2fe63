"""`POST /retry` in a running lab: what failed is tried again, and only that."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from tests.acceptance.conditions import attempts, job, paused, state_of
from tests.lab import RunningLab
from tests.waiting import until
from vidlab import clips as table
from vidlab.models import State, jobs
from vidlab.profiles import MASTER, PREPROCESSING
from vidlab.store.rows import job_is

OTHERS = (PREPROCESSING.name, "thumbnail")


@pytest.mark.local_only  # it reaches into the worker's scratch folder
def test_only_the_profile_that_failed_is_made_again(lab: RunningLab) -> None:
    in_the_way = lab.settings.state / "scratch" / "worker-144p.1"  # where that worker wants a folder
    in_the_way.touch()
    video_hash = lab.send(table.make("tiny", lab.clips))
    failed = lab.ended(video_hash)
    assert (failed["status"], failed["error"]["stage"]) == ("failed", "144p")
    assert attempts(lab, video_hash, "144p") == [1, 2, 3]
    in_the_way.unlink()
    lab.client.retry(video_hash)
    video = lab.ended(video_hash)
    assert (video["status"], video["error"]) == ("completed", None)
    assert attempts(lab, video_hash, "144p") == [1, 2, 3, 1]
    assert [attempts(lab, video_hash, stage) for stage in (*OTHERS, MASTER)] == [[1], [1], [1]]
    assert lab.played(video).problems == ()


def test_a_master_that_failed_is_written_again_and_no_profile_is_made_again(lab: RunningLab) -> None:
    with paused(lab, "worker-thumbnail"):
        video_hash = lab.send(table.make("tiny", lab.clips))
        until(lambda: state_of(lab, video_hash, "144p") == State.DONE, "144p is done")
        measured = getattr(job(lab, video_hash, "144p"), "output", None)
        set_output(lab, video_hash, "144p", {})  # of which no master can be made
    failed = lab.ended(video_hash)
    assert (failed["status"], failed["error"]["stage"]) == ("failed", MASTER)
    assert attempts(lab, video_hash, MASTER) == [1, 2, 3]
    set_output(lab, video_hash, "144p", measured)
    lab.client.retry(video_hash)
    video = lab.ended(video_hash)
    assert (video["status"], video["error"]) == ("completed", None)
    assert attempts(lab, video_hash, MASTER) == [1, 2, 3, 1]
    assert [attempts(lab, video_hash, stage) for stage in (*OTHERS, "144p")] == [[1], [1], [1]]
    assert lab.played(video).problems == ()


def set_output(lab: RunningLab, video_hash: str, stage: str, output: dict[str, Any] | None) -> None:
    """Change what the row says of the files that were made."""
    with lab.store.database.write() as connection:
        connection.execute(update(jobs).where(job_is(video_hash, stage)).values(output=output))
