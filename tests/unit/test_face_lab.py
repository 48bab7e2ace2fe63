"""`Lab`'s words over a lab of small scripts: what it does when it goes down, comes up, and is somebody else's."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from tests.unit.labs import StubLab
from tests.waiting import until
from vidlab.errors import LabFailed, LabNotRunning
from vidlab.face import Lab
from vidlab.face.video import Video, Videos


@dataclass(eq=False)
class Shown:
    """Stands in for a widget."""

    addresses: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab for the tests that leave it as they found it."""
    with StubLab(tmp_path_factory.mktemp("lab"), with_parent=True) as running:
        yield Lab(running)


@pytest.fixture
def own_lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab that is not up yet."""
    runner = StubLab(tmp_path / "own", with_parent=True)
    yield Lab(runner)
    runner.down()


def pid_of(lab: Lab, name: str) -> Any:
    return lab.status().loc[name, "pid"]


def state_of(lab: Lab, name: str) -> Any:
    return lab.status().loc[name, "state"]


def test_down_and_up_leave_the_addresses_as_they_were_and_a_reset_is_told_to_what_is_shown(
    own_lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    own_lab.up()
    assert "processes are ready" in capsys.readouterr().out
    before, client = own_lab.addresses, own_lab.client
    own_lab.shown.add(shown := Shown(before))
    own_lab.down()
    assert "down" in repr(own_lab)
    with pytest.raises(LabNotRunning):
        _ = own_lab.client
    own_lab.up()
    assert own_lab.addresses == before, "what is shown goes on without the kernel"
    assert own_lab.client is not client
    own_lab.reset()
    assert not own_lab.state.exists()
    own_lab.up()
    assert shown.addresses == own_lab.addresses
    assert shown.addresses["secret"] != before["secret"]


def test_up_finds_what_somebody_else_has_started_anew(own_lab: Lab) -> None:
    own_lab.up()
    own_lab.shown.add(shown := Shown(own_lab.addresses))
    settings = own_lab.settings
    another = StubLab(own_lab.state, with_parent=True)
    another.reset()
    another.up()
    own_lab.up()
    assert shown.addresses["secret"] == another.folder.secret
    assert own_lab.settings is not settings


def test_pause_resume_and_restart(lab: Lab) -> None:
    assert lab.pause("family") == ["family"]
    assert state_of(lab, "family") == "paused"
    assert lab.resume("family") == ["family"]
    assert state_of(lab, "family") == "running"
    before = pid_of(lab, "family")
    assert lab.restart("family") == ["family"]
    until(lambda: state_of(lab, "family") == "running" and pid_of(lab, "family") != before, "another process")


def test_scaling_to_none_returns_when_none_is_left(lab: Lab) -> None:
    finish = lab.state / "run" / "finish"
    try:
        with pytest.raises(LabFailed, match=re.escape("worker-360p.1 is still there")):
            lab.scale("worker-360p", 0, timeout=0.3)
        assert "worker-360p.1" in lab.status().index, "it ends what it has in hand"
        finish.touch()
        assert lab.scale("worker-360p", 0) == 0
        assert "worker-360p.1" not in lab.status().index
    finally:
        finish.unlink(missing_ok=True)
        lab.scale("worker-360p", 1)
    assert state_of(lab, "worker-360p.1") == "running"


def test_a_fault_draws_itself(lab: Lab) -> None:
    with lab.fault("pause", "family", seconds=60) as fault:
        assert "paused family" in fault._repr_html_()
        assert html.escape(fault.expect) in fault._repr_html_()


def test_a_folder_of_a_clips_name_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "tiny.mp4"
    made.touch()
    (tmp_path / "tiny").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Lab, "clip", lambda _self, name: {"tiny": made}[name])
    lab = Lab(Mock())
    client = lab.__dict__["client"] = Mock()
    lab.upload("tiny")
    assert client.upload.call_args.args == (made,)


@pytest.mark.parametrize("count", [2, 5])
def test_several_videos_draw_themselves(count: int) -> None:
    facts = dict.fromkeys(("finalized_at", "ended_at", "error", "duration"))
    one: dict[str, Any] = {
        "video_hash": "ab" * 16,
        "title": "<b>",
        "status": "processing",
        "steps": [],
        "profiles": [],
        **facts,
    }
    found = Videos(Video(Mock(), one) for _ in range(count))
    assert found._repr_html_().count("&lt;b&gt;") == count
    assert repr(found).count("video abababab processing") == count
