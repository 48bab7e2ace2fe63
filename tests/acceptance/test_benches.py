"""The benches that have a lab: what they tell is there, and what is promised whatever the machine's speed holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import RunningLab
from vidlab.bench.control import Run, bench_control
from vidlab.bench.lab import STORAGES
from vidlab.bench.pressure import bench_pressure
from vidlab.jobs import TASKS_PER_WORKER
from vidlab.profiles import PROFILES

pytestmark = [pytest.mark.slow, pytest.mark.local_only]  # what is measured are processes of this machine

JOBS = len(PROFILES) + 2  # of one video: with preprocessing and the master


def test_the_control_plane_carries_every_video_with_and_without_storage(tmp_path: Path) -> None:
    runs: list[Run] = []
    bench_control(tmp_path / "state", STORAGES, [3, 10], runs.append)
    assert [(run.storage, run.videos) for run in runs] == [(storage, n) for storage in STORAGES for n in (3, 10)]
    for run in runs:
        assert run.spent["job calls"] == run.videos * JOBS
        assert ("blob call" in run.spent) == (run.storage == "azurite")
        assert {stage.name for stage in run.stages} >= {profile.name for profile in PROFILES}
        assert sum(run.processors.values()) > 0
    assert not (tmp_path / "state" / "vidlab.db").exists()


def test_more_than_can_be_carried_waits_in_kafka_in_its_order_and_all_of_it_is_completed(lab: RunningLab) -> None:
    measured = bench_pressure(lab.local, videos=60, rate=30.0, on_look=lambda left: None)
    assert measured.ends == {"completed": 60}
    assert measured.overtaken == 0
    assert max(measured.samples.waiting.values()) <= TASKS_PER_WORKER
    assert max(measured.samples.lag.values()) > TASKS_PER_WORKER
    assert len(measured.samples.answers) > 10
