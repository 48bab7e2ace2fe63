"""Adding the profile 240p is one line: in a copy of the project it is added, and everything follows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lab import HOME

LINE = '    Profile(name="240p", height=240, max_kbps=400, audio_kbps=64),\n'

#: Runs in the copy: tells what follows from its table.
SCRIPT = """
import json, sys
from vidlab.lab.spec import make_spec
from vidlab.hls import Segment, Stream
from vidlab.models import State, Video
from vidlab.pipeline.complete import master_playlist
from vidlab.profiles import PROFILES, Size, stages
from vidlab.settings import Settings
from vidlab.store import Store
from vidlab.store.migrate import migrate

store = Store(Settings(process="test"))
added = migrate(store.database)
old = store.videos()
facts = {"filename": "a.mp4", "extension": "mp4", "title": "A", "idempotency_key": None}
video_hash = store.create_upload(total_chunks=1, **facts).video_hash
store.finalize(video_hash, source_etag="original", bytes=1)
store.enqueue(video_hash, "preprocessing", "original")
store.finish_preprocessing(store.claim(video_hash, "preprocessing"), {"source_etag": "source"}, Size(426, 240))
for profile in PROFILES:
    if store.enqueue(video_hash, profile.name, "source"):
        size = profile.fit(Size(426, 240)) if profile.height else Size(426, 240)
        stream = Stream(
            width=size.width, height=size.height, frame_rate="24/1", codecs="avc1.64000d", bandwidth=1, duration=6.0,
            average_bandwidth=1, bytes=1, target_duration=6, segments=(Segment(name="s", duration=6.0, bytes=1),),
        )
        master = store.finish_rendition(store.claim(video_hash, profile.name), stream.as_json())
print(json.dumps({
    "added": added,
    "old_done": [video.done["240p"] for video in old],
    "processes": [kind.name for kind in make_spec()],
    "stages": [[stage.group, stage.queue, stage.topic] for stage in stages()],
    "jobs": {job.stage: job.state for job in store.jobs(video_hash)},
    "master": master_playlist(store.jobs(video_hash)),
    "last": master.stage,
}))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's code with one line more."""
    for package in ("vidlab", "services"):
        shutil.copytree(HOME / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    table = tmp_path / "vidlab" / "profiles.py"
    before, at, after = table.read_text().partition('    Profile(name="360p"')
    assert at
    table.write_text(before + LINE + at + after)
    return tmp_path


def test_everything_follows_from_one_line(copy: Path, database_url: str) -> None:
    told = run_in(copy, database_url)
    name = "video_processing_240p"
    assert told["added"] == ["profile_240p_done"]
    assert told["old_done"] == [True]
    assert {"consumer-240p", "worker-240p"} <= set(told["processes"])
    assert [name, name, "video_processing"] in told["stages"]
    assert told["jobs"]["240p"] == "done"
    assert told["jobs"]["360p"] == "skipped"
    assert "426x240" in told["master"]
    assert "240p/playlist.m3u8" in told["master"]
    assert told["last"] == "master"


def run_in(copy: Path, database_url: str) -> dict[str, Any]:
    environment = os.environ | {"VIDLAB_DATABASE_URL": database_url, "VIDLAB_STATE": str(copy)}
    make_an_old_video(database_url, copy)
    environment["PYTHONPATH"] = str(copy)
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def make_an_old_video(database_url: str, state: Path) -> None:
    """One that failed before the profile was added, by the tables as they were."""
    from vidlab.settings import Settings
    from vidlab.store import Store
    from vidlab.store.migrate import migrate

    store = Store(Settings(state=state, database_url=database_url))
    migrate(store.database)
    video = store.create_upload(total_chunks=1, filename="a", extension="mp4", title="", idempotency_key=None)
    store.fail_upload(video.video_hash, "it was never sent")
    store.close()
