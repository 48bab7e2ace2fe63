"""Widgets of an API that wants a token of everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr

from tests.browser.pages import Pages
from tests.integration.test_store import finalized
from tests.serving import serving
from vidlab.api.app import create_app
from vidlab.settings import Settings
from vidlab.store import Store
from vidlab.store.migrate import migrate

TOKEN = "secret?>"  # of which base64 makes letters that no address may have


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The addresses of an API with one video, and without servers."""
    monkeypatch.setattr("vidlab.observe.kafka.ANSWER", 0.2)
    nowhere = {"kafka": "127.0.0.1:1", "redis_url": "redis://127.0.0.1:1/0", "process": "api"}
    url = f"sqlite:///{tmp_path / 'vidlab.db'}"
    settings = Settings(state=tmp_path, database_url=url, api_token=SecretStr(TOKEN), **nowhere)
    with closing(Store(settings)) as store:
        migrate(store.database)
        video_hash = finalized(store)
        with serving(create_app(settings)) as api:
            yield {"api": api, "control": "", "secret": "", "token": TOKEN, "video_hash": video_hash}


def test_a_widget_that_knows_the_token_is_live(page: Page, pages: Pages, guarded: dict[str, str]) -> None:
    pages.show(page, guarded, "dashboard")
    expect(page.locator(".vl-live")).to_have_text("live")
    expect(page.locator(".vl-video1")).to_contain_text("preprocessing")
    pages.show(page, guarded, "timeline", video_hash=guarded["video_hash"])
    expect(page.locator(".vl-lane").first).to_be_attached()


def test_without_a_socket_it_asks_with_the_token(page: Page, pages: Pages, guarded: dict[str, str]) -> None:
    page.route_web_socket(re.compile(".*/live"), lambda socket: socket.close())
    pages.show(page, guarded, "dashboard")
    expect(page.locator(".vl-live")).to_have_text("polling")


def test_who_does_not_know_it_is_told_so(page: Page, pages: Pages, guarded: dict[str, str]) -> None:
    pages.show(page, guarded | {"token": "another"}, "dashboard")
    expect(page.locator(".vl-live")).to_have_text("no connection")
    expect(page.locator(".vl-why")).to_contain_text("token")
