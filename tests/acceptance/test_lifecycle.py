"""A lab that goes down and comes up again goes on with its work, here on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.acceptance.test_faults import until, works
from tests.lab import RunningLab, running_lab
from tests.postgres import Postgres, fresh_database
from vidlab import clips as table
from vidlab.lab.identity import MARK
from vidlab.models import State


@pytest.fixture
def lab(tmp_path: Path, clips: Path, postgres: Postgres) -> Iterator[RunningLab]:
    """A lab of its own, beside the session's: the tests here take it down."""
    with (
        fresh_database(postgres, "lifecycle") as url,
        running_lab(tmp_path / "lab", clips, VIDLAB_DATABASE_URL=url) as running,
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


def test_a_lab_taken_down_in_the_midst_of_work_goes_on_with_it(lab: RunningLab) -> None:
    video_hash = lab.send(table.make("landscape", lab.clips))
    waits = lab.send(table.make("tiny", lab.clips))
    until(works(lab, video_hash, "720p"), "720p is being worked on")
    lab.local.down()
    assert processes_of(lab) == []
    states = {job.stage: job.state for job in lab.store.jobs(video_hash)}
    assert states["720p"] == State.QUEUED
    assert "handed_back" in lab.kinds(video_hash, "720p")
    lab.local.up()
    for each in (video_hash, waits):
        video = lab.ended(each)
        assert video["status"] == "completed", video["error"]
        assert lab.played(video).problems == ()
        assert lab.kinds(each).count("completed") == 1
    assert max(job.attempt for job in lab.store.jobs(video_hash)) == 1  # what was handed back does not count
