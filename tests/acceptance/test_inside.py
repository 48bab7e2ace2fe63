"""From JupyterLab's own container the lab hears the same words, by way of this machine's supervisor."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest

from tests.lab import RunningLab
from tests.notebooks.notebooks import code_cells, is_right
from tests.waiting import until
from vidlab.lab.compose.lab import ComposeLab

pytestmark = pytest.mark.compose_only

NOTEBOOK = 300.0  # seconds for a notebook


def in_jupyter(lab: RunningLab, *words: str, seconds: float = 120.0) -> str:
    """What a command in that container prints. Raises CommandFailed."""
    assert isinstance(lab.local, ComposeLab)
    return lab.local.project.compose(
        "exec", "--no-TTY", "--env", "VIDLAB_SMALL_CLIPS=1", "jupyter", *words, seconds=seconds
    )


def said(lab: RunningLab, program: str) -> Any:
    """What some lines of Python there leave in `answer`."""
    lines = f"import json, sys, vidlab\nlab = vidlab.connect()\n{program}\nsys.stdout.write('\\n' + json.dumps(answer))"
    return json.loads(in_jupyter(lab, "python", "-c", lines).splitlines()[-1])


def test_it_sees_the_same_processes(lab: RunningLab) -> None:
    ours = sorted(one.name for one in lab.local.status().processes)
    assert said(lab, "answer = sorted(lab.status().index)") == ours


def test_a_worker_killed_from_there_comes_back(lab: RunningLab) -> None:
    before = lab.local.status().process("worker-144p.1").pid
    assert said(lab, "answer = lab.kill('worker-144p.1')") == ["worker-144p.1"]
    until(lambda: lab.local.status().process("worker-144p.1").pid not in (None, before), "another pid")
    lab.local.wait("worker-144p")


def test_it_scales_and_scales_back(lab: RunningLab) -> None:
    try:
        said(lab, "answer = lab.scale('worker-144p', 2)")
        lab.local.wait("worker-144p")
        assert {"worker-144p.1", "worker-144p.2"} <= {one.name for one in lab.local.status().processes}
    finally:
        lab.local.scale("worker-144p", 1)
        until(lambda: "worker-144p.2" not in {one.name for one in lab.local.status().processes}, "one again")


def test_a_video_that_is_sent_from_there_is_judged_there(lab: RunningLab) -> None:
    program = (
        "from vidlab.lessons.start_here import verdict_on\n"
        "video = lab.upload('tiny').wait(); verdict = verdict_on(lab, [video])\n"
        "answer = [video.video_hash, video.status, verdict.videos, [str(one) for one in verdict.anomalies]]"
    )
    video_hash, *told = said(lab, program)
    assert told == ["completed", 1, []]
    assert lab.played(lab.ended(video_hash))


def test_it_cannot_take_down_what_it_is_a_part_of(lab: RunningLab) -> None:
    program = "try:\n    lab.down()\nexcept Exception as error:\n    answer = error.advice"
    assert "docker compose down" in said(lab, program)


@pytest.mark.timeout(600)
def test_the_first_notebook_runs_there(lab: RunningLab) -> None:
    words = ("python", "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", "--stdout", "--log-level=ERROR")
    printed = in_jupyter(lab, *words, "notebooks/00_start_here.ipynb", seconds=NOTEBOOK)
    notebook = nbformat.reads(printed, as_version=4)  # type: ignore[no-untyped-call]
    solutions = code_cells(notebook, "solution")
    assert solutions
    assert [cell.id for cell in solutions if not is_right(cell)] == []
