"""A pause never falls into the beginning of a health check: Docker would not come back from that."""

from __future__ import annotations

import time

import pytest

from tests.acceptance.conditions import paused
from tests.lab import RunningLab
from vidlab.lab.compose.lab import ComposeLab

pytestmark = pytest.mark.compose_only


def test_a_pause_just_when_a_health_check_is_due(lab: RunningLab) -> None:
    assert isinstance(lab.local, ComposeLab)
    project = lab.local.project
    worker = next(one for one in project.containers() if one.service == "worker_144p")
    resumed = 0.0
    for _ in range(4):
        time.sleep(max(0.0, project.until_check(worker.id, resumed)))
        with paused(lab, "worker-144p.1"):
            assert lab.local.status().process("worker-144p.1").state == "paused"
        resumed = time.time()
    assert lab.local.wait("worker-144p")
