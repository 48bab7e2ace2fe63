"""Whom the API lets in when it has a token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from unittest.mock import Mock

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

from tests.unit.asgi import Http
from vidlab.api.app import ROUTERS, create_app
from vidlab.errors import BadSetting
from vidlab.settings import Settings

TOKEN = "s3cret.token"
HASH = "0123456789abcdef0123456789abcdef"

#: What a browser asks for without being able to send a header.
OPEN = ["/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json", "/static-offline-docs/favicon.png", "/health/live"]
NOT_OPEN = ["/", "/videos", "/health", "/metrics", "/nowhere", "/docs/", "/docsx", "/health/live/", "/media", "//media"]
SHORT, LONG = f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x"
WRONG = ["", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", SHORT, LONG, f"Bearer {TOKEN.upper()}"]


@pytest.fixture
def app() -> FastAPI:
    store = Mock()
    store.videos.return_value = []
    return create_app(Settings(api_token=TOKEN), Mock(), store)


def requests(app: FastAPI) -> Iterator[tuple[str, str]]:
    """A method and a path of each endpoint."""
    for route in chain(app.routes, *(router.routes for router in ROUTERS)):
        if isinstance(route, Route | APIRoute):
            yield next(iter(route.methods or ())), re.sub(r"\{[^}]*\}", HASH, route.path)


def test_every_endpoint_but_those_that_a_browser_needs_wants_the_token(app: FastAPI) -> None:
    asked = list(requests(app))
    assert len(asked) > 10
    for method, path in asked:
        is_open = path in OPEN or path.startswith("/media/")
        assert (Http(app, strict=False).request(method, path).status_code == 401) is not is_open, path


@pytest.mark.parametrize("path", OPEN)
def test_a_browser_gets_the_documentation_without_it(app: FastAPI, path: str) -> None:
    assert Http(app).get(path).status_code == 200


@pytest.mark.parametrize("path", NOT_OPEN)
def test_what_is_not_named_is_closed(app: FastAPI, path: str) -> None:
    assert Http(app).get(path).status_code == 401


@pytest.mark.parametrize("header", WRONG)
def test_a_wrong_token_is_none(app: FastAPI, header: str) -> None:
    answer = Http(app).get("/videos", headers={"Authorization": header})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="vidlab"')
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == "/videos"
    assert TOKEN not in answer.text


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Bearer  {TOKEN} "])
def test_the_token_opens_everything(app: FastAPI, header: str) -> None:
    assert Http(app).get("/videos", headers={"Authorization": header}).status_code == 200


def test_a_token_in_the_address_or_a_cookie_counts_for_nothing(app: FastAPI) -> None:
    assert Http(app).get(f"/videos?token={TOKEN}&access_token={TOKEN}").status_code == 401
    cookie = f"Authorization=Bearer {TOKEN}; token={TOKEN}"
    assert Http(app).get("/videos", headers={"Cookie": cookie}).status_code == 401


def test_pages_may_ask_whether_they_may_and_read_the_refusal(app: FastAPI) -> None:
    page = {"Origin": "http://localhost:8888"}
    asked = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
    preflight = Http(app).options("/videos/x", headers=page | asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-headers"]) == (200, "authorization")
    refusal = Http(app).get("/videos", headers=page)
    assert (refusal.status_code, refusal.headers["access-control-allow-origin"]) == (401, page["Origin"])


def test_without_a_setting_nobody_is_asked() -> None:
    store = Mock()
    store.videos.return_value = []
    assert Http(create_app(Settings(), Mock(), store)).get("/videos").status_code == 200


@pytest.mark.parametrize("token", ["two words", "line\n", "ümlaut", "tab\t"])
def test_a_token_that_no_header_can_carry_is_told_without_telling_it(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDLAB_API_TOKEN", token)
    with pytest.raises(BadSetting, match="VIDLAB_API_TOKEN cannot be") as raised:
        Settings()
    assert token not in str(raised.value)
    assert raised.value.__cause__ is None


def test_the_token_is_shown_nowhere() -> None:
    settings = Settings(api_token=TOKEN)
    assert TOKEN not in f"{settings!r} {settings} {settings.model_dump_json()}"
