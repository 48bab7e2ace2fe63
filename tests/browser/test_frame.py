"""What all widgets do alike: they go where the lab is now, and end with their cell and their kernel."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.browser.conftest import Show
from tests.browser.jupyter import Jupyter, menu, run_all
from tests.browser.pages import addresses
from tests.lab import RunningLab
from tests.waiting import until
from vidlab import clips

NOBODY = "http://127.0.0.1:9"
#: Widget -> what it shows once it speaks to a lab.
ALIVE = {
    "dashboard": ".vl-live[data-live=live]",
    "lag": ".vl-group",
    "player": ".vl-about, video[poster]",
    "timeline": ".vl-lane",
    "upload": "option[value=tiny]",
}
DRAWN = (".vl-process", ".vl-groups .vl-group", ".vl-lane", ".js-plotly-plot .main-svg")


@pytest.fixture(scope="module")
def video(lab: RunningLab) -> dict[str, Any]:
    """A completed video, so that each has something to show."""
    return lab.ended(lab.send(clips.make("tiny", lab.clips, lab.settings)))


@pytest.mark.parametrize("name", ALIVE)
def test_told_where_the_lab_is_now_it_goes_there(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any], name: str
) -> None:
    more = {"minutes": 1} if name == "lag" else {"chunk_bytes": 1 << 20} if name == "upload" else {"video_hash": ""}
    where = addresses(lab)
    show(page, lab, name, **more | {"addresses": where | {"api": NOBODY}})
    expect(page.locator(".vidlab")).to_contain_text("does not answer")
    page.evaluate("(where) => shown[0].model.set('addresses', where)", where)
    expect(page.locator(ALIVE[name]).first).to_be_attached()
    expect(page.locator(".vidlab")).not_to_contain_text("does not answer")
    page.evaluate("(where) => shown[0].model.set('addresses', where)", where | {"api": NOBODY})
    expect(page.locator(".vidlab")).to_contain_text("does not answer")


def test_those_that_watch_end_with_their_kernel_and_with_their_cell(
    page: Page, lab: RunningLab, jupyter: Jupyter, video: dict[str, Any]
) -> None:
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket) if socket.url.endswith("/live") else None)
    kinds = ("Dashboard", "Lag", "Timeline")
    jupyter.run(page, [f"from vidlab.widgets import {one}; {one}()" for one in kinds])
    _all_drawn(page)
    menu(page, "Kernel", "Restart Kernel…")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(page.get_by_text("run its cell again")).to_have_count(len(kinds))
    until(lambda: _closed(page, sockets, len(kinds)), "their sockets are closed")
    assert sum("/videos/" in socket.url for socket in sockets) == 1
    _all_drawn(page)  # what was there last stays
    run_all(page)
    until(lambda: page.evaluate("1") and len(sockets) == 2 * len(kinds), "there are new ones")
    expect(page.locator(".vl-live")).to_have_text("live")
    menu(page, "Edit", "Clear Outputs of All Cells")
    expect(page.locator(".vidlab")).to_have_count(0)
    until(lambda: _closed(page, sockets, 2 * len(kinds)), "no socket is left")


def _all_drawn(page: Page) -> None:
    for one in DRAWN:
        expect(page.locator(one).first).to_be_attached()


def _closed(page: Page, sockets: list[WebSocket], count: int) -> bool:
    page.wait_for_timeout(50)  # Playwright hears of a closed socket only while it is asked something
    return len(sockets) == count and all(socket.is_closed() for socket in sockets)
