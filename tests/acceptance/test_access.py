"""Who can reach a lab at all."""

from __future__ import annotations

from typing import Any

import psutil
import pytest

from tests.lab import RunningLab
from vidlab.lab.identity import MARK


@pytest.mark.local_only  # the ports of docker-compose.yml have a test of their own
def test_a_lab_listens_on_this_machine_only(lab: RunningLab) -> None:
    heard = {(process.name(), one.laddr.ip) for process in marked(lab) for one in listening(process)}
    assert len(heard) >= 5  # Kafka, Redis, Azurite, clamd, and ours
    assert {address.removeprefix("::ffff:") for _, address in heard} == {"127.0.0.1"}, heard


def marked(lab: RunningLab) -> list[psutil.Process]:
    """All that the lab runs, its supervisor too."""
    found = [one for one in psutil.process_iter() if _mark(one) == lab.local.folder.lab_id]
    assert len(found) > 10
    return found


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except psutil.Error:
        return None


def listening(process: psutil.Process) -> list[Any]:
    try:
        return [one for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    except psutil.Error:
        return []
