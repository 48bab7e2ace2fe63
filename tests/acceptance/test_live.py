"""/live over the lab of the session: what its processes do is told while they do it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.acceptance.footage import footage
from tests.lab import RunningLab
from tests.sockets import Message, Socket, opened
from tests.waiting import until
from vidlab.observe.queues import queues


@pytest.fixture
def socket(lab: RunningLab) -> Iterator[Socket]:
    with opened(lab.settings.api_url, token=lab.settings.api_token.get_secret_value() or None) as one:
        yield one


def test_a_snapshot_shows_the_whole_lab(socket: Socket) -> None:
    first = socket.next()
    assert {"kafka", "api", "keeper"} <= {process["name"] for process in _told_of(socket, first, "processes")}
    assert {row["group"] for row in _told_of(socket, first, "lag")} >= {"video_preprocessing", "video_processing_144p"}
    assert {row["queue"] for row in _told_of(socket, first, "queues")} >= {"video_processing_thumbnail"}
    assert first["faults"] == []


def _told_of(socket: Socket, first: Message, name: str) -> list[dict[str, Any]]:
    """A server that answers after 2 s is not waited for with the snapshot: then a message follows."""
    rows: list[dict[str, Any]] = first[name] or socket.of(name)[name]
    return rows


def test_a_video_is_followed_to_its_end(socket: Socket, lab: RunningLab) -> None:
    socket.next()
    video_hash = lab.send(footage("long", lab.clips))
    running = socket.video(lambda video: video["video_hash"] == video_hash and _running(video), 60)
    working = _running(running)
    assert working[0]["worker"].startswith("worker-")
    socket.video(lambda video: video["video_hash"] == video_hash and _told(video), 60)
    ended = socket.video(lambda video: video["video_hash"] == video_hash and video["ended_at"], 120)
    assert ended["status"] == "completed"
    assert ended["profiles"] == lab.client.video(video_hash)["profiles"], "the plain GET shows the same"
    kinds = [one["event"]["kind"] for one in socket.told if one["type"] == "event"]
    assert {"finalized", "claimed"} <= set(kinds)


def _running(video: Message) -> list[Message]:
    return [job for job in video["profiles"] if job["state"] == "running"]


def _told(video: Message) -> list[Message]:
    """Those whose progress, speed and remaining time are known."""
    return [job for job in _running(video) if job["progress"] > 0 and job["speed"] and job["eta"] is not None]


def test_a_kill_and_its_new_pid_are_told(socket: Socket, lab: RunningLab) -> None:
    before = _process({"processes": _told_of(socket, socket.next(), "processes")}, "worker-144p.1")
    lab.local.kill("worker-144p.1")
    after = socket.until(lambda message: message["type"] == "processes" and _is_back(message, before))
    assert _process(after, "worker-144p.1")["restarts"] == before["restarts"] + 1
    event = socket.until(lambda message: message["type"] == "event" and message["event"]["kind"] == "killed")
    assert event["event"]["process"] == "worker-144p.1"


def _process(message: Message, name: str) -> dict[str, Any]:
    return next(process for process in message["processes"] if process["name"] == name)


def _is_back(message: Message, before: dict[str, Any]) -> bool:
    now = _process(message, before["name"])
    return bool(now["state"] == "running" and now["pid"] != before["pid"])


def test_a_fault_is_told_and_its_end(socket: Socket, lab: RunningLab) -> None:
    socket.next()
    begun = lab.local.fault("pause", "worker-144p", 30)
    on = socket.until(lambda message: message["type"] == "faults" and message["faults"])
    assert on["faults"][0]["name"] == "pause"
    before = len(socket.told)
    lab.local.faults_over(begun["id"])
    socket.until(lambda message: message["type"] == "faults" and message["faults"] == [], since=before)


def test_the_backlog_of_a_stopped_consumer_is_told_in_messages_and_seconds(socket: Socket, lab: RunningLab) -> None:
    socket.next()
    lab.local.pause("consumer-144p")
    try:
        video_hash = lab.send(footage("tiny", lab.clips))
        socket.until(lambda message: message["type"] == "lag" and _lag(message, "144p")["messages"] == 1, 60)
        socket.until(lambda message: message["type"] == "lag" and (_lag(message, "144p")["seconds"] or 0) > 1, 60)
    finally:
        lab.local.resume("consumer-144p")
    lab.ended(video_hash)
    before = len(socket.told)
    socket.until(lambda message: message["type"] == "lag" and _lag(message, "144p")["messages"] == 0, since=before - 5)


def _lag(message: Message, profile: str) -> dict[str, Any]:
    return next(row for row in message["lag"] if row["group"] == f"video_processing_{profile}")


def test_who_lost_a_killed_api_connects_again_and_goes_on(lab: RunningLab) -> None:
    url = lab.settings.api_url
    with opened(url) as first:
        first.next()
        lab.local.kill("api")
        with pytest.raises(ConnectionClosed):
            first.until(lambda message: message["type"] == "nothing")
    lab.local.wait("api")
    until(lambda: _answers(url), "the API takes sockets again")
    video_hash = lab.send(footage("tiny", lab.clips))
    with opened(url) as second:
        second.until(lambda message: _has_ended(message, video_hash), 120)


def _answers(url: str) -> bool:
    try:
        with opened(url) as socket:
            return bool(socket.next()["type"] == "snapshot")
    except OSError:
        return False


def _has_ended(message: Message, video_hash: str) -> bool:
    views = message["videos"] if message["type"] == "snapshot" else [message.get("video", {})]
    return any(view.get("video_hash") == video_hash and view["ended_at"] for view in views)


def test_where_nothing_happens_nothing_is_told(socket: Socket, lab: RunningLab) -> None:
    """A page that is left open must not cost a message twice a second."""
    socket.next()
    until(lambda: all(job["waiting"] + job["running"] == 0 for job in _queues(lab)), "nobody works")
    _listen(socket, 2.0)  # what was under way
    before = len(socket.told)
    _listen(socket, 3.0)
    assert [one for one in socket.told[before:] if one["type"] in ("processes", "queues", "faults")] == []


def _queues(lab: RunningLab) -> list[dict[str, int]]:
    return [{"waiting": row.waiting, "running": row.running} for row in queues(lab.settings)]


def _listen(socket: Socket, seconds: float) -> None:
    with suppress(AssertionError):
        socket.until(lambda message: message["type"] == "nothing", seconds)
