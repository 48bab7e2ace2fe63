"""What browsers are told with each answer."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from tests.unit.asgi import Http
from vidlab.api.app import create_app
from vidlab.settings import Settings

ANSWERS = ["/videos", "/nowhere", "/docs", "/openapi.json", "/media/x/hls/master.m3u8", "/health/live"]


@pytest.fixture
def http() -> Http:
    store = Mock()
    store.videos.return_value = []
    return Http(create_app(Settings(), Mock(), store))


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_keeps_browsers_from_guessing_framing_and_telling(http: Http, path: str) -> None:
    headers = http.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src" in headers["content-security-policy"]


def test_refusals_have_them_too(http: Http) -> None:
    refusal = http.post("/videos/x/retry", headers={"Origin": "https://evil.example"})
    assert (refusal.status_code, refusal.headers["x-frame-options"]) == (403, "DENY")


def test_answers_are_not_kept_and_not_for_other_pages(http: Http) -> None:
    headers = http.get("/videos").headers
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["content-security-policy"].startswith("default-src 'none'")


def test_media_is_for_every_page(http: Http) -> None:
    answer = http.get("/media/x/hls/master.m3u8", headers={"Origin": "https://player.example"})
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "cache-control" not in answer.headers


def test_the_documentation_runs_only_what_comes_from_here(http: Http) -> None:
    policy = http.get("/docs").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
