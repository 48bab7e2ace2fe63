"""Videos as the API tells them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from tests.unit.asgi import Http
from tests.unit.rows import THEN, a_job, a_video
from vidlab.api.app import create_app
from vidlab.errors import UnknownVideo
from vidlab.models import Job, State, Status, Video
from vidlab.profiles import PROFILES
from vidlab.settings import Settings

HASH = "h" * 32
NAMES = [profile.name for profile in PROFILES]


def told(video: Video, *jobs: Job) -> dict[str, Any]:
    found = {video.video_hash: list(jobs)}
    store = Mock(video=Mock(return_value=video), jobs_of=Mock(return_value=found), places=Mock(return_value={}))
    app = create_app(Settings(api_url="http://127.0.0.1:8000/"), Mock(), store)
    return dict(Http(app).get(f"/videos/{HASH}").json())


def test_before_the_fan_out_all_profiles_wait() -> None:
    video = told(a_video(status=Status.PREPROCESSING), a_job("preprocessing", state=State.RUNNING, owner="worker"))
    assert [(job["name"], job["state"]) for job in video["profiles"]] == [(name, "waiting") for name in NAMES]
    assert [(job["name"], job["worker"]) for job in video["steps"]] == [("preprocessing", "worker")]


def test_afterwards_its_rows_are_its_profiles_in_the_order_of_the_table() -> None:
    rows = [a_job(name) for name in ("preprocessing", "1080p", "144p", "240p", "master")]
    video = told(a_video(), *rows)
    assert [job["name"] for job in video["profiles"]] == ["144p", "1080p", "240p"]
    assert [job["name"] for job in video["steps"]] == ["preprocessing", "master"]


def test_a_video_that_failed_early_has_no_profiles() -> None:
    failed = a_video(status=Status.FAILED, error_stage="preprocessing", error_reason="It is text.")
    video = told(failed, a_job("preprocessing", state=State.FAILED, error="It is text."))
    assert video["error"] == {"stage": "preprocessing", "reason": "It is text."}
    assert video["profiles"] == []


def test_addresses_are_made_from_the_paths_when_they_are_told() -> None:
    rows = [a_job("144p"), a_job("1080p", state=State.SKIPPED, error="too small"), a_job("thumbnail")]
    at = f"/media/{HASH}"
    video = told(a_video(hls_master_path=f"{at}/hls/master.m3u8", thumbnail_path=f"{at}/thumbnail.jpg"), *rows)
    there = f"http://127.0.0.1:8000{at}"
    assert (video["master_url"], video["thumbnail_url"]) == (f"{there}/hls/master.m3u8", f"{there}/thumbnail.jpg")
    assert [job["url"] for job in video["profiles"]] == [
        f"{there}/hls/144p/playlist.m3u8",
        None,
        f"{there}/thumbnail.jpg",
    ]


def test_what_is_not_served_has_no_address() -> None:
    video = told(a_video(status=Status.PROCESSING, thumbnail_path="/media/x/thumbnail.jpg"), a_job("thumbnail"))
    assert (video["thumbnail_url"], video["profiles"][0]["url"]) == (None, None)


def test_a_job_is_told_with_its_times_in_utc() -> None:
    job = a_job("360p", queued_at=THEN, started_at=THEN + timedelta(seconds=1), speed=2.5, output={"bytes": 7})
    assert told(a_video(), job)["profiles"] == [
        {
            "name": "360p",
            "state": "done",
            "attempt": 1,
            "progress": 1.0,
            "speed": 2.5,
            "eta": None,
            "place": None,
            "queued_at": "2026-01-02T03:04:05Z",
            "started_at": "2026-01-02T03:04:06Z",
            "finished_at": None,
            "error": None,
            "worker": None,
            "url": f"http://127.0.0.1:8000/media/{HASH}/hls/360p/playlist.m3u8",
            "output": {"bytes": 7},
        }
    ]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "status=deleting", "status=x", "cursor=0", "cursor=x"]
)
def test_a_question_that_does_not_fit(query: str) -> None:
    answer = Http(create_app(Settings(), Mock(), Mock())).get(f"/videos?{query}")
    assert answer.status_code == 422
    assert query.split("=")[0] in answer.json()["detail"]


def test_a_page_ends_with_a_cursor_when_there_is_more() -> None:
    store = Mock(videos=Mock(return_value=[a_video(id=number) for number in (9, 8, 7)]))
    http = Http(create_app(Settings(), Mock(), store))
    page = http.get("/videos?limit=2&status=completed&cursor=10").json()
    assert store.videos.call_args.kwargs == {"status": "completed", "limit": 3, "before": 10}
    assert (len(page["items"]), page["next"]) == (2, "8")
    assert http.get("/videos?limit=3").json()["next"] is None


@pytest.mark.parametrize("what", ["timeline", "events"])
def test_what_happened_to_a_video_that_nobody_knows_is_not_an_empty_list(what: str) -> None:
    store = Mock(video=Mock(side_effect=UnknownVideo(video_hash=HASH)), spans=Mock(return_value=[]))
    store.events.return_value = []
    assert Http(create_app(Settings(), Mock(), store)).get(f"/videos/{HASH}/{what}").status_code == 404
