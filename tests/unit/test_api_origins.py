"""Which pages may talk to the API."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from tests.unit.asgi import Http
from vidlab.api.app import create_app
from vidlab.errors import BadSetting
from vidlab.settings import Settings

LOCAL = ["http://localhost:8888", "http://127.0.0.1:12345", "https://localhost", "http://[::1]:80"]
LISTED = "https://player.example:8443"
FOREIGN = [
    "http://evil.example",
    "http://player.example:8443",
    "https://player.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example:80",
    "null",
]


@pytest.fixture
def http() -> Http:
    store = Mock()
    store.videos.return_value = []
    settings = Settings(api_url="http://lab.example:8000", cors_origins=f"{LISTED}/, https://Other.example")
    app = create_app(settings, Mock(), store)
    return Http(app, base_url="http://127.0.0.1:8000")


@pytest.mark.parametrize("origin", LOCAL)
def test_pages_of_this_machine_may_do_everything(http: Http, origin: str) -> None:
    answer = http.get("/videos", headers={"Origin": origin})
    assert answer.headers["access-control-allow-origin"] == origin
    asked = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
    assert http.options("/videos/x", headers=asked).status_code == 200
    assert http.delete("/videos/x", headers={"Origin": origin}).status_code == 202


@pytest.mark.parametrize("origin", FOREIGN)
def test_other_pages_change_nothing_and_read_nothing(http: Http, origin: str) -> None:
    assert "access-control-allow-origin" not in http.get("/videos", headers={"Origin": origin}).headers
    answer = http.delete("/videos/x", headers={"Origin": origin})
    assert answer.status_code == 403
    assert "comes from a page of" in answer.json()["detail"]


@pytest.mark.parametrize("origin", [LISTED, "https://other.example"])
def test_pages_of_the_list_may_do_everything(http: Http, origin: str) -> None:
    assert http.get("/videos", headers={"Origin": origin}).headers["access-control-allow-origin"] == origin
    asked = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
    assert http.options("/videos/x", headers=asked).status_code == 200
    assert http.delete("/videos/x", headers={"Origin": origin}).status_code == 202


@pytest.mark.parametrize(
    "listed", ["*", "null", "player.example", "https://a.example/path", "https://a.example,", "ftp://a"]
)
def test_a_list_names_origins_and_nothing_else(listed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDLAB_CORS_ORIGINS", listed)
    with pytest.raises(BadSetting, match="VIDLAB_CORS_ORIGINS"):
        Settings()


def test_the_api_is_its_own_page(http: Http) -> None:
    for origin in ("http://lab.example:8000", "http://127.0.0.1:8000"):
        assert http.delete("/videos/x", headers={"Origin": origin}).status_code == 202


@pytest.mark.parametrize(
    "host", ["127.0.0.1:1", "localhost", "[::1]:8000", "192.168.1.7:8000", "api:8000", "lab.example"]
)
def test_names_under_which_it_answers(http: Http, host: str) -> None:
    assert http.get("/videos", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[::1", "[evil.example]", "a]b.c"]
)
def test_a_name_that_was_turned_to_this_machine_is_refused(http: Http, host: str) -> None:
    answer = http.get("/videos", headers={"Host": host})
    assert answer.status_code == 403
    assert "which is not this API's" in answer.json()["detail"]
