"""The command line, as a person and as a script uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lab import RunningLab
from vidlab import clips as table
from vidlab.profiles import PARTITIONS, stages

PATIENCE = 180  # seconds for one command


def vidlab(lab: RunningLab, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command against the session's lab."""
    command = [sys.executable, "-m", "vidlab.cli", "--state", str(lab.settings.state), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def answer(lab: RunningLab, *words: str) -> Any:
    done = vidlab(lab, *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_demo_ends_well_and_says_where_to_play(lab: RunningLab) -> None:
    done = vidlab(lab, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("every segment fetched and decoded: yes", "completed", "wrote the master playlist", "1280x720"):
        assert words in done.stdout
    assert f"{lab.settings.api_url}/media/" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_demo_of_a_bad_file_says_why_and_exits_1(lab: RunningLab) -> None:
    done = vidlab(lab, "demo", table.make("audio_only", lab.clips))
    assert done.returncode == 1
    assert "failed in preprocessing: The file is not a video that can be read" in done.stdout


def test_upload_prints_a_line_per_video_and_exits_0_only_when_all_completed(lab: RunningLab) -> None:
    good, bad = table.make("tiny", lab.clips), table.make("text", lab.clips)
    done = vidlab(lab, "upload", good, bad, "--wait", "--json")
    assert done.returncode == 1
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    keys = {"video_hash", "filename", "status", "error", "master_url", "seconds"}
    assert first.keys() == second.keys() == keys
    assert (first["filename"], first["status"], first["error"]) == ("tiny.mp4", "completed", None)
    assert first["master_url"].endswith("/hls/master.m3u8")
    assert first["seconds"] > 0
    assert (second["status"], second["master_url"]) == ("failed", None)
    assert second["error"] == {
        "stage": "preprocessing",
        "reason": "The file is not a video that can be read: it is text.",
    }


def test_upload_run_again_does_not_send_again(lab: RunningLab) -> None:
    clip = table.make("portrait", lab.clips)
    first = json.loads(vidlab(lab, "upload", clip, "--wait", "--json").stdout)
    again = vidlab(lab, "upload", clip, "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout)["video_hash"] == first["video_hash"]


def test_watch_takes_the_beginning_of_a_hash(lab: RunningLab) -> None:
    sent = json.loads(vidlab(lab, "upload", table.make("tiny", lab.clips), "--json").stdout)
    done = vidlab(lab, "watch", sent["video_hash"][:10])
    assert done.returncode == 0, done.stderr
    assert "completed" in done.stdout


def test_one_that_failed_is_waited_for_shown_and_begun_again(lab: RunningLab) -> None:
    sent = json.loads(vidlab(lab, "upload", table.make("text", lab.clips), "--json").stdout)["video_hash"]
    done = vidlab(lab, "wait", sent[:10], "--timeout", "120")
    assert (done.returncode, "failed in preprocessing" in done.stdout) == (1, True), done.stderr
    assert answer(lab, "video", sent, "--json")["error"]["stage"] == "preprocessing"
    assert {span["stage"] for span in answer(lab, "timeline", sent, "--json")} == {"upload", "preprocessing"}
    assert answer(lab, "retry", sent, "--json")["status"] == "preprocessing"


def test_the_shapes_that_scripts_rely_on(lab: RunningLab) -> None:
    status = answer(lab, "status", "--json")
    assert status["state"] == "up"
    assert status["api_url"] == lab.settings.api_url
    assert {"kafka", "redis", "azurite", "clamd", "database"} == status["endpoints"].keys()
    assert {"name", "kind", "pid", "state", "restarts"} <= status["processes"][0].keys()
    lag = answer(lab, "lag", "--json")
    assert len(lag) == len(stages()) * PARTITIONS
    assert all(row.keys() == {"group", "topic", "partition", "offset", "end", "lag"} for row in lag)
    queues = answer(lab, "queues", "--json")
    assert [row["queue"] for row in queues] == [stage.queue for stage in stages()]
    assert all(row.keys() == {"queue", "waiting", "running"} for row in queues)
    assert answer(lab, "videos", "--json", "-n", "1")[0]["video_hash"]


def test_what_is_not_there_is_told_calmly(lab: RunningLab, tmp_path: Path) -> None:
    done = vidlab(lab, "watch", "ffff")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "There is no video ffff." in done.stderr
    lost = vidlab(lab, "upload", tmp_path / "nowhere.mp4")
    assert lost.returncode == 2


@pytest.mark.local_only  # whoever asks for containers finds those that are there, whatever folder is named
def test_a_lab_that_is_down_is_told_with_what_to_type(lab: RunningLab, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vidlab.cli", "--state", str(tmp_path / "none"), "lag"]
    down = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert down.returncode == 1
    assert "vidlab up" in down.stderr


def test_a_command_has_help_as_it_is_typed(lab: RunningLab) -> None:
    done = vidlab(lab, "upload", "--help")  # the unit tests ask every one
    assert done.returncode == 0
    assert "Usage" in done.stdout
