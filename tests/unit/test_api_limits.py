"""How often one client may ask."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from tests.unit.asgi import Http
from vidlab.api import limits
from vidlab.api.app import create_app
from vidlab.api.limits import Buckets
from vidlab.settings import Settings


class Hand:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def limited(**settings: int | str) -> Http:
    store = Mock()
    store.videos.return_value = []
    return Http(create_app(Settings.model_validate(settings), Mock(), store))


@pytest.mark.parametrize("per_minute", [1, 7, 60, 1000])
def test_a_minutes_worth_comes_at_once_and_then_evenly(per_minute: int) -> None:
    clock = Hand()
    buckets = Buckets(per_minute, clock)
    assert not any(buckets.wait("a") for _ in range(per_minute))
    seconds = buckets.wait("a")
    assert seconds == pytest.approx(60 / per_minute)
    clock.now += seconds / 2
    assert buckets.wait("a") > 0
    clock.now += seconds / 2
    assert buckets.wait("a") == 0
    assert buckets.wait("a") > 0
    clock.now += 3600
    assert not any(buckets.wait("a") for _ in range(per_minute))
    assert buckets.wait("a") > 0


def test_clients_do_not_wait_for_each_other_and_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_CLIENTS", 2)
    buckets = Buckets(1, Hand())
    assert [buckets.wait(client) for client in "abab"] == [0, 0, 60, 60]
    assert [buckets.wait(client) for client in "cabc"] == [0, 0, 0, 0]  # each drives out who was seen longest ago
    buckets = Buckets(2, Hand())
    assert [buckets.wait(client) for client in "abaca"] == [0, 0, 0, 0, 30]  # b was, not a


def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    http = limited(requests_per_minute=2)
    assert [http.get("/videos").status_code for _ in range(3)] == [200, 200, 429]
    answer = http.post("/videos/x/retry", headers={"Origin": "http://localhost:1"})
    assert 1 <= int(answer.headers["retry-after"]) <= 30
    assert answer.json()["facts"] == {"seconds": int(answer.headers["retry-after"])}
    assert answer.headers["access-control-allow-origin"] == "http://localhost:1"


def test_guessing_the_token_is_counted() -> None:
    http = limited(requests_per_minute=2, api_token="s3cret")
    assert [http.get("/videos").status_code for _ in range(3)] == [401, 401, 429]


def test_media_is_counted_apart_and_a_sign_of_life_never() -> None:
    http = limited(requests_per_minute=1, media_requests_per_minute=2)
    assert [http.get("/media/x/y").status_code for _ in range(3)] == [404, 404, 429]
    assert [http.get("/videos").status_code for _ in range(2)] == [200, 429]
    assert [http.get("/health/live").status_code for _ in range(3)] == [200, 200, 200]


def test_there_is_no_limit_unless_one_is_set() -> None:
    http = limited()
    assert {http.get("/videos").status_code for _ in range(100)} == {200}
    assert "429" not in http.get("/openapi.json").json()["paths"]["/videos"]["get"]["responses"]


def test_the_document_tells_of_a_limit() -> None:
    document = limited(requests_per_minute=9).get("/openapi.json").json()
    assert "429" in document["paths"]["/videos"]["get"]["responses"]
