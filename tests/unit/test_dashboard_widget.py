"""The dashboard's picture, where no widget can run."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from vidlab.errors import DependencyAway, LabNotRunning, VidLabError
from vidlab.lab.status import LabStatus, ProcessStatus
from vidlab.widgets import Dashboard

VIDEO = {"title": "<b>film", "status": "completed", "finalized_at": "2026-01-01T00:00:00Z", "error": None}
TOLD = {
    "lag": [{"group": "video_preprocessing", "messages": 7, "seconds": 1.0}],
    "queues": [{"queue": "video_preprocessing", "waiting": 2, "running": 1}],
    "videos": [VIDEO | {"ended_at": "2026-01-01T00:00:04.500Z"}],
    "processes": [{"name": "keeper", "state": "running", "pid": 4711, "restarts": 0, "note": ""}],
}
AWAY = DependencyAway(name="api", why="it hangs")


@pytest.fixture(autouse=True)
def without_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a browser would load is no matter here."""
    monkeypatch.setattr("vidlab.widgets.base.read_bundle", lambda _name: "export default {}")


def picture(**told: Any) -> str:
    """Of a lab with one queue, one video and one process, where nothing else is told."""
    lab = Mock(addresses={})
    lab.client.within.return_value.live.return_value = TOLD | told
    return Dashboard(lab).picture()


def picture_without_api(processes: Any, away: VidLabError = AWAY) -> str:
    lab = Mock(addresses={})
    lab.client.within.return_value.live.side_effect = away
    lab.runner.status.side_effect = processes
    return Dashboard(lab).picture()


def test_it_shows_what_waits_where_the_videos_and_the_processes() -> None:
    shown = picture()
    for words in ("<td>7</td>", "<td>2</td>", "&lt;b&gt;film", "completed", "4.5", "keeper", "4711"):
        assert words in shown


def test_what_is_not_known_keeps_nothing_else_away() -> None:
    shown = picture(lag=None, queues=None)
    for words in ("The consumer groups are not known now", "The queues are not known now", "&lt;b&gt;film", "keeper"):
        assert words in shown


def test_of_an_api_that_hangs_it_says_so_and_shows_the_processes() -> None:
    api = ProcessStatus(name="api", kind="api", pid=12, state="paused", restarts=3)
    shown = picture_without_api([LabStatus(state="up", processes=[api])])
    for words in ("api does not answer: it hangs", "paused", "<td>3</td>"):
        assert words in shown


def test_a_lab_that_is_down_is_said() -> None:
    down = LabNotRunning(state="/lab")
    shown = picture_without_api(down, down)
    assert "/lab" in shown
    assert "vidlab up" in shown
    assert "The processes are not known now" in shown
