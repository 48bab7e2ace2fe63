"""A process or a file that a test session leaves is found, and what a killed session left is removed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.leftovers import LOCK, MARK, PREFIX, end_dead_sessions, files_left, own_session, processes_left

SLEEP = "import time; time.sleep(60)"


def left_behind(mark: str) -> int:
    """The pid of a process that its parent left, as most things are left."""
    code = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SLEEP!r}], stdout=-3).pid)"
    env = {**os.environ, MARK: mark}
    return int(subprocess.run([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, check=True).stdout)


def test_a_process_that_is_left_is_found_and_ended() -> None:
    pid = left_behind("somebody-else")
    assert [line.split()[0] for line in processes_left("somebody-else", patience=0)] == [str(pid)]
    assert processes_left("somebody-else") == []


def test_a_session_has_a_folder_of_its_own_for_what_is_temporary() -> None:
    outer = tempfile.gettempdir()
    with own_session() as folder:
        assert files_left(folder) == []
        tempfile.mkdtemp(prefix="left-")
        code = "import tempfile; tempfile.mkdtemp(prefix='child-')"
        subprocess.run([sys.executable, "-c", code], check=True)
        assert [name.split("-")[0] for name in files_left(folder)] == ["child", "left"]
    assert not folder.exists()
    assert tempfile.gettempdir() == outer


def test_only_what_dead_sessions_left_is_ended_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = tmp_path / f"{PREFIX}dead"
    dead.mkdir()
    (dead / LOCK).touch()
    left_behind(dead.name)
    with own_session() as alive:
        assert processes_left(dead.name) == []
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        end_dead_sessions()
        assert {path.name for path in tmp_path.iterdir()} == {alive.name}
