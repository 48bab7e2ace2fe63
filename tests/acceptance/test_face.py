"""`vidlab.connect()`: the lab as Python says it, over the lab of the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import httpx
import pytest

import vidlab
from tests.acceptance.footage import footage
from tests.lab import RunningLab
from tests.waiting import until
from vidlab import clips
from vidlab.errors import NotEnded, NotThere, StageOver, UnknownClip, UnknownVideo
from vidlab.face import Lab


@pytest.fixture(scope="module")
def face(lab: RunningLab) -> Iterator[Lab]:
    connected = vidlab.connect(lab.settings.state)
    yield connected
    connected._forget()


def test_it_attaches_to_the_lab_that_is_up(face: Lab, lab: RunningLab) -> None:
    assert face.addresses["api"] == lab.settings.api_url
    assert httpx.get(f"{face.addresses['control']}/status", headers=_secret(face)).is_success
    assert "processes run" in face._repr_html_()


def _secret(face: Lab) -> dict[str, str]:
    return {"X-VidLab-Secret": face.addresses["secret"]}


def test_a_video_goes_through(face: Lab) -> None:
    video = face.upload("tiny").wait()
    assert video.status == "completed"
    assert video.seconds
    assert video.profiles.loc["144p", "state"] == "done"
    spans = video.timeline()
    assert set(spans["kind"]) == {"queue", "work"}
    assert next(iter(video.events()["kind"])) == "uploading"
    assert list(video.events()["kind"])[-1] == "completed"
    assert video.video_hash in set(face.videos()["video_hash"])
    assert video.video_hash in set(face.events()["video_hash"])
    assert "144p" in repr(video)
    assert "completed" in video._repr_html_()


def test_what_runs_and_waits_is_shown(face: Lab) -> None:
    status = face.status()
    assert status.loc["keeper", "state"] == "running"
    assert set(face.purposes().index) == set(status.index)
    assert set(face.lag().columns) == {"group", "topic", "partition", "offset", "end", "lag"}
    assert list(face.queues().columns) == ["queue", "waiting", "running"]
    assert "kafka-down" in face.faults().index
    assert len(str(face.logs("kafka", 3)).splitlines()) == 3


def test_a_kill_brings_another_pid(face: Lab) -> None:
    before = face.status().loc["worker-144p.1", "pid"]
    assert face.kill("worker-144p.1") == ["worker-144p.1"]
    until(lambda: _is_new(face, before), "another worker")


def _is_new(face: Lab, before: Any) -> bool:
    row = face.status().loc["worker-144p.1"]
    return bool(row["state"] == "running" and row["pid"] != before)


def test_scaling_returns_when_it_is_so(face: Lab) -> None:
    try:
        assert face.scale("worker-144p", 2) == 1
        assert face.status().loc["worker-144p.2", "state"] == "running"
    finally:
        face.scale("worker-144p", 1)


def test_a_fault_ends_with_its_block(face: Lab) -> None:
    with face.fault("pause", "worker-144p", seconds=60) as fault:
        assert fault.on
        assert face.status().loc["worker-144p.1", "state"] == "paused"
    assert not fault.on
    assert face.status().loc["worker-144p.1", "state"] == "running"


def test_a_wait_that_is_interrupted_leaves_the_video_going(
    face: Lab, lab: RunningLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = face.upload(footage("long", lab.clips))
    with monkeypatch.context() as patch:
        patch.setattr("vidlab.client.time.sleep", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            video.wait()
    assert video.wait().status == "completed"


def _interrupt(_number: float) -> None:
    raise KeyboardInterrupt


def test_an_upload_that_is_interrupted_goes_on_when_the_same_is_sent_again(
    face: Lab, lab: RunningLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, there = footage("long", lab.clips), list[int]()
    cut: dict[str, Any] = {"chunk_bytes": path.stat().st_size // 20, "title": "cut"}
    monkeypatch.setattr("vidlab.face.bars.sending", lambda name: _interrupting())
    with pytest.raises(KeyboardInterrupt):
        face.upload(path, **cut)
    monkeypatch.setattr("vidlab.face.bars.sending", lambda name: nullcontext(lambda done, _: there.append(done)))
    there.clear()
    video = face.upload(path, **cut)
    assert there[0] > path.stat().st_size / 3, "what was there is not sent again"
    another = face.upload(path, **cut)
    assert another.video_hash != video.video_hash, "what was sent completely is sent as another video"
    assert [one.status for one in face.wait([video, another])] == ["completed"] * 2


@contextmanager
def _interrupting() -> Iterator[Callable[[int, int], None]]:
    def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    yield interrupt


def test_a_load_that_is_interrupted_sends_no_more(face: Lab, lab: RunningLab, monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(face.videos(limit=100_000))
    monkeypatch.setattr("vidlab.face.bars.counting", lambda what, total: nullcontext(_interrupt))
    with pytest.raises(KeyboardInterrupt):
        face.load(1000, rate=2)
    assert len(face.videos(limit=100_000)) - before < 20
    assert "running" in set(face.status()["state"])


def test_a_time_out_says_what_was_waited_for(face: Lab, lab: RunningLab) -> None:
    video = face.upload(footage("long", lab.clips))
    with pytest.raises(NotEnded, match=video.video_hash):
        video.wait(timeout=0)
    with pytest.raises(NotThere, match="nonsense of video"):
        video.wait_for("nonsense", timeout=0.2)
    video.wait_for("preprocessing", "done").wait()


def test_several_are_waited_for_at_once(face: Lab) -> None:
    videos = face.load(4, rate=10)
    assert [video.status for video in face.wait(videos)] == ["completed"] * 4


def test_the_verdict_is_about_what_was_sent(face: Lab) -> None:
    videos = face.load(2, rate=10)
    face.wait(videos)
    verdict = face.check(bound=600)
    assert verdict.videos >= 2
    assert verdict.as_json()["lost"] == 0


@pytest.mark.parametrize("name", ["no-such-clip", "/no/such/file.mp4"])
def test_what_there_is_not_is_told(face: Lab, name: str) -> None:
    with pytest.raises(UnknownClip, match=name):
        face.upload(name)
    with pytest.raises(UnknownVideo):
        face.video("0" * 32)


def test_what_failed_is_retried_and_what_is_deleted_is_gone(face: Lab, lab: RunningLab) -> None:
    video = face.upload(clips.make("text", lab.clips)).wait()
    assert video.status == "failed"
    with pytest.raises(StageOver, match="failed in preprocessing: The file is not a video"):
        video.wait_for("720p", timeout=60)
    assert face.retry(video).wait().status == "failed"
    assert list(video.events()["kind"]).count("failed") == 2
    face.delete(video)
    with pytest.raises(UnknownVideo):
        face.video(video)


def test_a_load_in_the_background_is_sent_by_the_end_of_its_block(face: Lab) -> None:
    before = len(face.videos(limit=100_000))
    with face.loading(3, rate=10):
        assert "processes run" in face._repr_html_(), "the kernel is free meanwhile"
    found = face.videos(limit=100_000)
    assert len(found) == before + 3
    face.wait(list(found["video_hash"][:3]))


def test_short_clips_stand_in_where_that_is_wanted(face: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    assert face.clip().name == "bigbuckbunny.mp4"
    small = face.settings.model_copy(update={"small_clips": True})
    monkeypatch.setitem(face.__dict__, "settings", small)
    assert face.clip().name == "tiny.mp4"
