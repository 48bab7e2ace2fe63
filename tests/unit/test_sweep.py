"""Nothing but a lab's own processes may be ended by it, even when they are looked for in a wrong way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from vidlab.errors import NotALab
from vidlab.lab import sweep as module
from vidlab.lab.folder import Folder
from vidlab.lab.sweep import sweep


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Who would have been ended: a test that fails ends nobody."""
    pids: list[int] = []
    monkeypatch.setattr(module, "_kill", lambda process: pids.append(process.pid))
    return pids


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "state")
    made.make()
    return made


@pytest.fixture
def child() -> Iterator[psutil.Process]:
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
        yield psutil.Process(process.pid)


def test_the_first_process_of_the_machine_is_nobodys_leftover(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, killed: list[int], child: psutil.Process
) -> None:
    monkeypatch.setattr(module, "leftovers", lambda lab_id: [child, psutil.Process(1)])
    with pytest.raises(NotALab, match=r"Process 1 \("):
        sweep(folder)
    assert killed == []


def test_who_belongs_to_another_user_is_no_leftover(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, killed: list[int], child: psutil.Process
) -> None:
    monkeypatch.setattr(module, "leftovers", lambda lab_id: [child])
    monkeypatch.setattr(module, "_owners", lambda _: {4_000_000})
    with pytest.raises(NotALab, match=f"Process {child.pid} "):
        sweep(folder)
    assert killed == []
