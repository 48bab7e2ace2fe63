"""Real clips go through the whole pipeline, and end as they should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.footage import footage
from tests.lab import RunningLab
from tests.media import probed
from vidlab import clips as table
from vidlab import paths

#: Clip -> the renditions that it must end with.
PLAYS = {
    "full_hd": ["144p", "360p", "480p", "720p", "1080p"],
    "landscape": ["144p", "360p", "480p", "720p"],
    "portrait": ["144p", "360p"],
    "silent": ["144p"],
    "odd": ["144p"],
    "blink": ["144p"],
    "ten_bit": ["144p"],
    "rotated": ["144p", "360p"],
    "two_tracks": ["144p"],
    "variable": ["144p"],
}

#: Clip -> the stage at which it fails, and words that the reason must hold.
FAILS = {
    "text": ("preprocessing", "it is text"),
    "audio_only": ("preprocessing", "no moving picture"),
    "truncated": ("preprocessing", "moov atom not found"),
    "playlist": ("preprocessing", "it is text"),
    "infected": ("preprocessing", "Eicar"),
}

Ended = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def sent(lab: RunningLab) -> dict[str, str]:
    """All clips are sent at once, so that they wait for each other as videos do."""
    return {name: lab.send(footage(name, lab.clips)) for name in (*PLAYS, *FAILS)}


@pytest.fixture
def ended(lab: RunningLab, sent: dict[str, str]) -> Ended:
    return lambda name: lab.ended(sent[name])


def test_the_real_clip_plays_and_every_segment_decodes(lab: RunningLab) -> None:
    video = lab.ended(lab.send(table.sample_path(), chunk_bytes=256 * 1024))
    assert video["status"] == "completed", video["error"]
    playback = lab.played(video)
    assert playback.problems == ()
    assert [played.height for played in playback.renditions] == [144, 360, 480, 720]
    assert (video["width"], video["height"]) == (1280, 720)


@pytest.mark.parametrize("name", PLAYS)
def test_a_good_clip_ends_playable(lab: RunningLab, ended: Ended, name: str) -> None:
    video = ended(name)
    assert video["status"] == "completed", video["error"]
    states = {job["name"]: job["state"] for job in video["profiles"]}
    assert [rung for rung, state in states.items() if state == "done"] == [*PLAYS[name], "thumbnail"]
    assert set(states.values()) <= {"done", "skipped"}
    playback = lab.played(video)
    assert playback.problems == ()
    assert [played.uri for played in playback.renditions] == [f"{rung}/playlist.m3u8" for rung in PLAYS[name]]
    thumbnail = httpx.get(video["thumbnail_url"], trust_env=False)
    assert thumbnail.headers["content-type"] == "image/jpeg"
    assert thumbnail.content.startswith(b"\xff\xd8")


def test_all_rungs_have_the_same_key_frames_and_durations(lab: RunningLab, ended: Ended, tmp_path: Path) -> None:
    video = ended("full_hd")
    grids = {rung: grid(lab, video["video_hash"], rung, tmp_path) for rung in PLAYS["full_hd"]}
    assert [round(time - start[0], 3) for start in grids["1080p"] for time in start] == [0.0, 2.0, 4.0, 0.0]
    assert [rung for rung, found in grids.items() if found != grids["144p"]] == []
    durations = {played.uri: [s.duration for s in played.segments] for played in lab.played(video).renditions}
    assert len(durations) == len(grids)
    assert {tuple(found) for found in durations.values()} == {(6.0, 1.0)}


def grid(lab: RunningLab, video_hash: str, rung: str, folder: Path) -> list[list[float]]:
    """When the key frames of each segment are shown, in seconds."""
    files = sorted(lab.storage.list_paths(paths.rendition_prefix(video_hash, rung)))
    return [key_frames(lab, path, folder / f"{rung}.ts") for path in files if path.endswith(".ts")]


def key_frames(lab: RunningLab, path: str, target: Path) -> list[float]:
    lab.storage.download(path, target)
    what = ("-select_streams", "v", "-show_entries", "packet=pts_time,flags")
    packets = probed(target, *what)["packets"]
    return sorted(float(one["pts_time"]) for one in packets if "K" in one["flags"])


@pytest.mark.parametrize("name", FAILS)
def test_a_bad_file_ends_failed_with_a_reason_and_nothing_is_transcoded(
    lab: RunningLab, ended: Ended, name: str
) -> None:
    video = ended(name)
    stage, words = FAILS[name]
    assert video["status"] == "failed"
    assert video["error"]["stage"] == stage
    assert words in video["error"]["reason"]
    stages = {job.stage for job in lab.store.jobs(video["video_hash"])}
    assert stages == {"preprocessing"}
    assert "normalise" not in {span.name for span in lab.store.spans(video["video_hash"])}


def test_an_infected_file_is_neither_served_nor_retried(lab: RunningLab, ended: Ended) -> None:
    video = ended("infected")
    assert "probe" not in {span.name for span in lab.store.spans(video["video_hash"])}
    base = lab.settings.api_url
    for path in ("original.mp4", "source.mp4", "hls/master.m3u8", "thumbnail.jpg"):
        assert httpx.get(f"{base}/media/{video['video_hash']}/{path}", trust_env=False).status_code == 404
    assert httpx.post(f"{base}/videos/{video['video_hash']}/retry", trust_env=False).status_code == 409


def test_nothing_is_left_in_scratch(lab: RunningLab, sent: dict[str, str]) -> None:
    for video_hash in sent.values():
        lab.ended(video_hash)
    assert [path for path in (lab.settings.state / "scratch").rglob("*") if path.is_file()] == []


def test_each_video_is_one_trace_that_is_closed(lab: RunningLab, ended: Ended) -> None:
    video = ended("landscape")
    spans = lab.store.spans(video["video_hash"])
    assert {span.status for span in spans} == {"ok"}
    names = {(span.stage, span.name) for span in spans}
    assert {("preprocessing", "scan"), ("preprocessing", "upload"), ("360p", "queue"), ("360p", "encode")} <= names
    assert all(span.ended_at and span.ended_at >= span.started_at for span in spans)


def test_the_ends_are_told_once(lab: RunningLab, sent: dict[str, str]) -> None:
    for name, video_hash in sent.items():
        lab.ended(video_hash)
        kinds = lab.kinds(video_hash)
        assert kinds.count("completed") == (name in PLAYS)
        assert kinds.count("video_failed") == (name in FAILS)


def test_the_original_is_kept_byte_for_byte(lab: RunningLab, ended: Ended, tmp_path: Path) -> None:
    video = lab.store.video(ended("portrait")["video_hash"])
    target = tmp_path / "original.mp4"
    path = paths.original_path(video.video_hash, video.extension)
    lab.storage.download(path, target, etag=video.original_etag or "")
    assert target.read_bytes() == table.make("portrait", lab.clips).read_bytes()
