"""The dashboard's picture, where no widget can run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from vidlab.errors import LabNotRunning
from vidlab.widgets import Dashboard

ADDRESSES = {"api": "http://127.0.0.1:1", "control": "http://127.0.0.1:2", "secret": "s", "token": ""}


@pytest.fixture(autouse=True)
def without_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a browser would load is no matter here."""
    monkeypatch.setattr("vidlab.widgets.base.read_bundle", lambda _name: "export default {}")


def lab(**more: Any) -> Any:
    """A lab with one queue, one video and one process."""
    known = {
        "lag": lambda: pd.DataFrame({"group": ["video_preprocessing"] * 2, "lag": [3, 4]}),
        "queues": lambda: pd.DataFrame({"queue": ["video_preprocessing"], "waiting": [2], "running": [1]}),
        "videos": lambda limit: pd.DataFrame({"title": ["<b>film"], "status": ["completed"], "seconds": [4.5]}),
        "status": lambda: pd.DataFrame(
            {"state": ["running"], "pid": [4711], "restarts": [0], "note": [""]}, index=["keeper"]
        ),
    }
    return SimpleNamespace(addresses=ADDRESSES, **(known | more))


def test_it_shows_what_waits_where_the_videos_and_the_processes() -> None:
    picture = Dashboard(lab()).picture()
    for words in ("<td>7</td>", "<td>2</td>", "&lt;b&gt;film", "completed", "keeper", "4711"):
        assert words in picture


def test_a_lab_that_is_down_is_said() -> None:
    def down() -> pd.DataFrame:
        raise LabNotRunning(state="/lab")

    picture = Dashboard(lab(lag=down)).picture()
    assert "/lab" in picture
    assert "vidlab up" in picture
