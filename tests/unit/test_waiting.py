"""What is waited for ends in time and with a sentence, also when the API hangs, refuses, or is asked too often."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.postgres import free_port
from tests.unit.labs import silent_server
from vidlab.client import Client
from vidlab.errors import DependencyAway, NotEnded, OutOfSight, StageNotThere, StageOver, TooManyRequests, VidLabError
from vidlab.face.video import Video

HASH = "ab" * 16
SOON = 3.0  # seconds: far less than the patience for one answer, and for all tries


def video(status: str, state: str = "waiting", error: str = "") -> dict[str, Any]:
    ended = "2026-01-01T00:00:00+00:00" if status in ("failed", "completed") else None
    times = dict.fromkeys(("queued_at", "started_at", "finished_at"))
    job = {"name": "720p", "state": state, "progress": 0, "speed": None, "error": None, "attempt": 1} | times
    why = {"stage": "preprocessing", "reason": error} if error else None
    facts = {"title": "film", "filename": "f", "duration": 1, "finalized_at": ended, "ended_at": ended}
    return {"video_hash": HASH, "status": status, "steps": [], "profiles": [job], "error": why, **facts}


class Told(Client):
    """An API that answers as it is told, the last answer again and again."""

    def __init__(self, *answers: dict[str, Any] | VidLabError) -> None:
        super().__init__("http://127.0.0.1:1")
        self.answers = list(answers)

    def _ask_once(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, VidLabError):
            raise answer
        return answer


class StubLab:
    """A lab of which only the API is asked."""

    def __init__(self, client: Client) -> None:
        self.client = client


def seen(client: Client, at: dict[str, Any]) -> Video:
    return Video(StubLab(client), at)  # type: ignore[arg-type]


@pytest.fixture
def hanging() -> Iterator[Client]:
    with silent_server() as url:
        client = Client(url)
        yield client
        client.close()


def took(call: Callable[[], Any]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


def test_a_wait_ends_in_time_though_the_api_hangs(hanging: Client) -> None:
    def wait() -> None:
        with pytest.raises(OutOfSight, match=f"{HASH} has ended is not known after 1 s: it was never seen") as told:
            hanging.wait(HASH, timeout=1)
        assert isinstance(told.value, NotEnded)
        assert isinstance(told.value.__cause__, DependencyAway)

    assert took(wait) < SOON


def test_a_wait_says_how_the_video_was_when_it_was_last_seen() -> None:
    gone = DependencyAway(name="api", why="refused")
    with pytest.raises(OutOfSight, match="it was processing when last seen, and api does not answer: refused"):
        Told(video("processing"), gone).wait(HASH, timeout=0.5)


def test_a_wait_goes_on_over_a_short_absence() -> None:
    gone, often = DependencyAway(name="api", why="refused"), TooManyRequests(seconds=0.1)
    assert Told(gone, video("processing"), often, gone, video("completed")).wait(HASH, timeout=5)["ended_at"]


def test_one_that_is_asked_too_often_is_not_asked_after_the_time_out() -> None:
    def wait() -> None:
        with pytest.raises(OutOfSight, match="asked too often"):
            Told(TooManyRequests(seconds=30)).wait(HASH, timeout=0.3)

    assert took(wait) < SOON


def test_a_hurried_client_gives_up_in_time(hanging: Client) -> None:
    def ask() -> None:
        with pytest.raises(DependencyAway):
            hanging.within(0.6).video(HASH)

    assert took(ask) < SOON
    refusing = Client(f"http://127.0.0.1:{free_port()}").within(1)
    with pytest.raises(DependencyAway):
        refusing.video(HASH)
    refusing.close()


def test_a_stage_is_waited_for_in_time_though_the_api_hangs(hanging: Client) -> None:
    def wait() -> None:
        with pytest.raises(StageNotThere, match="720p of video abababab to be running it is waiting, as far as"):
            seen(hanging, video("processing")).wait_for("720p", timeout=1)

    assert took(wait) < SOON


@pytest.mark.parametrize("state", ["waiting", "cancelled"])
def test_a_stage_that_cannot_come_is_not_waited_for(state: str) -> None:
    failed = seen(Told(video("failed", state, "it is text.")), video("preprocessing"))
    with pytest.raises(StageOver, match=f"it is {state}, and the video failed in preprocessing: it is text\\."):
        failed.wait_for("720p", timeout=60)


def test_a_stage_is_waited_for_with_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    client = Told(video("processing"), video("processing", "running"))
    assert seen(client, video("processing")).wait_for("720p").profile("720p")["state"] == "running"
    assert "720p          running" in capsys.readouterr().out
