from __future__ import annotations

import threading
from collections.abc import Iterator
from unittest.mock import Mock

import pytest

from tests.unit.asgi import Http
from tests.waiting import GUARD
from vidlab.api.app import create_app
from vidlab.api.health import Check, answers
from vidlab.errors import DependencyAway, UnknownVideo
from vidlab.models import Counts
from vidlab.settings import Settings


def client(store: Mock | None = None, **checks: Check) -> Http:
    return Http(create_app(Settings(), Mock(), store or Mock(), checks))


@pytest.fixture
def hang() -> Iterator[Mock]:
    """A check that answers when the test is over."""
    over = threading.Event()
    yield Mock(side_effect=lambda: over.wait(GUARD))
    over.set()


def test_all_is_well() -> None:
    answer = client(redis=Mock()).get("/health")
    assert answer.status_code == 200
    found = answer.json()
    assert found["status"] == "ok"
    assert {name: server["state"] for name, server in found["servers"].items()} == {
        "database": "ok",
        "storage": "ok",
        "redis": "ok",
    }


def test_one_that_is_away_is_named_with_its_reason() -> None:
    away = Mock(side_effect=DependencyAway(name="redis", why="the connection is refused"))
    answer = client(redis=away).get("/health")
    assert answer.status_code == 503
    assert answer.json()["servers"]["redis"]["reason"] == "redis does not answer: the connection is refused"
    assert answer.json()["servers"]["storage"]["state"] == "ok"


def test_one_that_hangs_holds_nothing_up_and_is_not_asked_again(hang: Mock) -> None:
    together = Mock(side_effect=threading.Barrier(2, timeout=GUARD).wait)  # neither is asked after the other
    http = client(redis=hang, kafka=together, clamd=together)
    for _ in range(2):
        found = http.get("/health").json()["servers"]
        assert (found["redis"]["state"], found["redis"]["reason"]) == ("away", "no answer within 1 s")
        assert (found["kafka"]["state"], found["clamd"]["state"]) == ("ok", "ok")
    assert hang.call_count == 1


def test_being_alive_asks_nobody() -> None:
    store = Mock(ping=Mock(side_effect=AssertionError))
    assert client(store).get("/health/live").json() == {"status": "ok"}


def test_a_question_without_an_answer_is_a_server_that_is_away() -> None:
    answers("kafka", lambda: "1 broker")()
    with pytest.raises(DependencyAway, match="kafka does not answer"):
        answers("kafka", lambda: None)()


def test_metrics_tell_requests_by_route_and_the_pipeline_from_the_database() -> None:
    counts = Counts(videos_by_status={"completed": 7}, jobs={("360p", "running"): 2}, outbox_unsent=3)
    unknown = Mock(side_effect=UnknownVideo(video_hash="x"))
    http = client(Mock(counts=Mock(return_value=counts), video=unknown))
    for path in ("/videos/a/upload", "/videos/b/upload", "/nowhere", "/elsewhere"):
        http.get(path)
    text = http.get("/metrics").text
    for line in (
        'vidlab_http_requests_total{method="GET",route="unknown",status="404"} 2.0',
        'vidlab_http_request_seconds_count{method="GET",route="/videos/{video_hash}/upload"} 2.0',
        'vidlab_videos{status="completed"} 7.0',
        'vidlab_videos{status="failed"} 0.0',
        'vidlab_jobs{stage="360p",state="running"} 2.0',
        "vidlab_outbox_unsent 3.0",
        "vidlab_database_up 1.0",
    ):
        assert line in text


def test_metrics_are_there_without_the_database() -> None:
    away = Mock(side_effect=DependencyAway(name="database", why="refused"))
    answer = client(Mock(counts=away)).get("/metrics")
    assert answer.status_code == 200
    assert "vidlab_database_up 0.0" in answer.text
    assert "vidlab_videos{" not in answer.text
