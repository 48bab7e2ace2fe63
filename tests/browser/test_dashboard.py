"""The widget Dashboard: the picture moves with the lab, and its buttons reach the supervisor."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.acceptance.footage import footage
from tests.browser.conftest import Show
from tests.browser.jupyter import Jupyter
from tests.browser.pages import Pages
from tests.browser.played import Played
from tests.browser.played import process as played_process
from tests.browser.test_player import Screenshot
from tests.lab import RunningLab
from tests.waiting import until
from vidlab.profiles import stages

SCALE = "/control/kinds/worker-144p/scale"
QUEUE = {"queue": "video_processing_144p", "waiting": 0, "running": 0}
LONG = 90_000.0  # milliseconds for what a busy lab does


def process(page: Page, name: str) -> Locator:
    return page.locator(f'[data-process="{name}"]')


def worker(number: int) -> dict[str, Any]:
    return played_process(f"worker-144p.{number}")


def pid_of(lab: RunningLab, name: str) -> int | None:
    return lab.local.status().process(name).pid


@pytest.fixture(autouse=True)
def at_rest(request: pytest.FixtureRequest) -> None:
    """Each that has the lab begins with one worker of a kind, which runs."""
    if "lab" in request.fixturenames:
        request.getfixturevalue("lab").local.wait("worker-144p")


def test_the_whole_lab_is_in_the_picture(page: Page, lab: RunningLab, show: Show, screenshot: Screenshot) -> None:
    show(page, lab, "dashboard")
    expect(page.locator(".vl-live")).to_have_text("live")
    for stage in stages():
        if stage.name != "preprocessing":
            for stop in ("group", "queue", "worker"):
                expect(page.locator(f'[data-place="{stop}/{stage.name}"]')).to_have_count(1)
    for one in lab.local.status().processes:
        expect(process(page, one.name)).to_have_count(1)
    expect(page.locator(".vl-sentence")).not_to_have_text("Asking the lab how it stands.")
    screenshot("dashboard-rest-light")


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 900)])
def test_a_video_is_followed_from_the_upload_to_the_master(
    page: Page, lab: RunningLab, show: Show, screenshot: Screenshot, theme: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    show(page, lab, "dashboard", theme=theme)
    expect(page.locator(".vl-live")).to_have_text("live")
    video_hash = lab.send(footage("long", lab.clips))
    newest = page.get_by_label("The newest video")
    expect(newest.locator("strong").first).to_have_attribute("title", video_hash)
    bar = newest.locator('[data-job="720p"] [role=progressbar]')
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"[1-9]\d?"), timeout=LONG)
    expect(page.locator(".vl-dots circle").first).to_be_attached()
    screenshot(f"dashboard-{theme}-{width}")
    expect(bar).to_have_attribute("aria-valuenow", "100", timeout=LONG)
    expect(newest.locator('[data-job="1080p"]')).to_have_attribute("data-state", "skipped")
    lab.ended(video_hash)
    expect(newest.locator(".vl-chip")).to_contain_text("completed")
    expect(page.locator(".vl-sentence")).to_contain_text("is completed")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"


@pytest.mark.parametrize(("width", "columns"), [(900, 2), (1400, 3)])
def test_it_uses_the_width_and_cuts_no_name(page: Page, lab: RunningLab, show: Show, width: int, columns: int) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    show(page, lab, "dashboard")
    expect(process(page, "worker-thumbnail.1").locator(".vl-name")).to_have_text("thumbnail")
    tops = page.locator(".vl-card").evaluate_all("(cards) => cards.map((card) => card.getBoundingClientRect().top)")
    assert tops.count(min(tops)) == columns
    assert page.locator(".vl-process .vl-name").evaluate_all(CUT) == []
    captions = page.locator(".vl-flow-picture")
    assert captions.evaluate(ACROSS) == [], "no arrow goes through a word"


#: The words for which there is no room.
CUT = "(names) => names.filter((name) => name.scrollWidth > name.clientWidth).map((name) => name.textContent)"

#: The captions that the arrow to the second topic touches.
ACROSS = """(svg) => {
  const arrow = [...svg.querySelectorAll(".vl-edge")].at(-1);
  const hit = (box, x, y) => x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
  const touched = ({ x, y, width, height }) =>
    Array.from({ length: 200 }, (_, n) => arrow.getPointAtLength((arrow.getTotalLength() * n) / 199))
      .some((point) => hit({ x, y, width, height }, point.x, point.y));
  return [...svg.querySelectorAll(".vl-caption")].filter((one) => touched(one.getBBox())).map((one) => one.textContent);
}"""


def test_kill_shows_the_new_pid(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "dashboard")
    before = pid_of(lab, "worker-144p.1")
    expect(process(page, "worker-144p.1").locator(".vl-pid")).to_have_text(str(before))
    page.get_by_role("button", name="Kill worker-144p.1").click()
    expect(page.locator(".vl-answer")).to_contain_text(f"worker-144p.1 is back: pid {before} is now", timeout=LONG)
    after = pid_of(lab, "worker-144p.1")
    assert after != before
    expect(process(page, "worker-144p.1").locator(".vl-pid")).to_have_text(str(after))
    expect(page.get_by_text("killed by you").first).to_be_attached()


def test_plus_and_minus_scale(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "dashboard")
    try:
        page.get_by_role("button", name="One more worker-144p").click()
        expect(process(page, "worker-144p.2")).to_have_attribute("data-state", "running", timeout=LONG)
        assert pid_of(lab, "worker-144p.2")
        page.get_by_role("button", name="One worker-144p less").click()
        expect(process(page, "worker-144p.2")).to_have_count(0, timeout=LONG)
    finally:
        lab.local.scale("worker-144p", 1)


def test_pause_and_resume_by_the_keyboard(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "dashboard")
    try:
        page.get_by_role("button", name="Pause worker-144p.1").press("Enter")
        expect(process(page, "worker-144p.1")).to_have_attribute("data-state", "paused")
        assert lab.local.status().process("worker-144p.1").state == "paused"
        page.get_by_role("button", name="Resume worker-144p.1").press("Space")
        expect(process(page, "worker-144p.1")).to_have_attribute("data-state", "running")
    finally:
        if lab.local.status().process("worker-144p.1").state == "paused":
            lab.local.resume("worker-144p.1")


def test_the_api_itself_is_paused_and_resumed(page: Page, lab: RunningLab, show: Show, screenshot: Screenshot) -> None:
    """It is the API that tells all others; that it is paused the supervisor tells."""
    show(page, lab, "dashboard")
    expect(page.locator(".vl-live")).to_have_text("live")
    try:
        page.get_by_role("button", name="Pause api").click()
        expect(page.locator(".vl-live")).to_have_text("no connection")
        expect(page.locator(".vl-why")).to_contain_text("The API is paused")
        expect(process(page, "api")).to_have_attribute("data-state", "paused")
        screenshot("dashboard-api-paused-light")
        page.get_by_role("button", name="Resume api").click()
        expect(page.locator(".vl-live")).to_have_text("live", timeout=LONG)
        expect(process(page, "api")).to_have_attribute("data-state", "running")
        expect(page.locator(".vl-why")).to_have_text("")
    finally:
        if lab.local.status().process("api").state == "paused":
            lab.local.resume("api")


def test_a_page_that_is_opened_while_the_api_is_paused_can_resume_it(page: Page, lab: RunningLab, show: Show) -> None:
    lab.local.pause("api")
    try:
        show(page, lab, "dashboard")
        page.get_by_role("button", name="Resume api").click()
        expect(page.locator(".vl-live")).to_have_text("live", timeout=LONG)
    finally:
        if lab.local.status().process("api").state == "paused":
            lab.local.resume("api")


def test_a_kind_of_which_none_are_wanted_keeps_its_row(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "dashboard")
    try:
        page.get_by_role("button", name="One worker-144p less").click()
        none = process(page, "worker-144p")
        expect(none).to_have_attribute("data-state", "stopped", timeout=LONG)
        expect(none.locator(".vl-name")).to_have_text("144p")
        expect(page.get_by_role("button", name="One worker-144p less")).to_be_disabled()
        expect(page.get_by_role("button", name="Kill worker-144p")).to_be_disabled()
        page.get_by_role("button", name="One more worker-144p").click()
        expect(process(page, "worker-144p.1")).to_have_attribute("data-state", "running", timeout=LONG)
        expect(none).to_have_count(0)
    finally:
        lab.local.scale("worker-144p", 1)


def test_an_order_that_is_refused_is_told_in_a_sentence(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "dashboard")
    expect(process(page, "worker-144p.1").locator(".vl-pid")).to_have_text(str(pid_of(lab, "worker-144p.1")))
    page.evaluate("window.shown[0].model.traits.addresses.secret = 'wrong'")
    page.get_by_role("button", name="Kill worker-144p.1").click()
    expect(page.locator(".vl-answer")).to_contain_text("does not carry the lab's secret")


@pytest.mark.parametrize("wanted", [0, 1])
def test_a_scaling_that_is_refused_does_not_count(page: Page, pages: Pages, played: Played, wanted: int) -> None:
    played.snapshot |= {"processes": [worker(1)] if wanted else [], "queues": [QUEUE]}
    pages.show(page, played.addresses, "dashboard")
    more = page.get_by_role("button", name="One more worker-144p")
    more.click()
    expect(page.locator(".vl-answer")).to_have_text("There is no /control/kinds/worker-144p/scale.")
    played.answers[SCALE] = {"before": wanted}
    for count in (wanted + 1, wanted + 2):  # quickly, and before the lab has told of the first
        with page.expect_request(f"**{SCALE}") as asked:
            more.click()
        assert asked.value.post_data_json == {"count": count}
        played.say({"type": "queues", "queues": [QUEUE]})  # the page is drawn anew meanwhile
        expect(page.locator(".vl-answer")).to_have_text(f"scale worker-144p to {count}: done.")
        page.wait_for_timeout(200)


def test_a_server_that_is_away_is_told_and_its_return(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "dashboard")
    expect(page.locator(".vl-live")).to_have_text("live")
    with_fault = lab.local.fault("redis-down", seconds=60)
    try:
        expect(page.locator(".vl-why")).to_contain_text("redis is away", timeout=LONG)
        expect(page.locator(".vl-why")).to_contain_text("fault redis-down")
    finally:
        lab.local.faults_over(with_fault["id"])
    expect(page.locator(".vl-why")).to_have_text("", timeout=LONG)


def test_it_comes_back_by_itself_when_the_api_was_killed(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "dashboard")
    expect(page.locator(".vl-live")).to_have_text("live")
    lab.local.kill("api")
    expect(page.locator(".vl-live")).not_to_have_text("live")
    lab.local.wait("api")
    expect(page.locator(".vl-live")).to_have_text("live", timeout=LONG)


def test_two_on_a_page_and_none_after_they_are_gone(page: Page, lab: RunningLab, show: Show) -> None:
    sockets: list[Any] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    show(page, lab, "dashboard", count=2)
    expect(page.locator(".vl-live", has_text="live")).to_have_count(2)
    page.evaluate("window.shown.forEach((one) => one.dispose())")
    expect(page.locator(".vidlab")).to_have_count(0)
    until(lambda: _all_closed(page, sockets), "its sockets are closed")


def _all_closed(page: Page, sockets: list[Any]) -> bool:
    page.wait_for_timeout(50)  # Playwright hears of a closed socket only while it is asked something
    return len(sockets) == 2 and all(socket.is_closed() for socket in sockets)


def test_it_goes_on_and_kills_while_a_cell_blocks_the_kernel(
    page: Page, lab: RunningLab, jupyter: Jupyter, screenshot: Screenshot
) -> None:
    cells = [
        "import vidlab\nfrom vidlab.widgets import Dashboard\nlab = vidlab.connect()\nDashboard(lab)",
        "import time\nprint('it blocks')\ntime.sleep(600)",
    ]
    jupyter.run(page, cells)
    expect(page.get_by_text("it blocks", exact=True)).to_be_visible(timeout=LONG)
    before = pid_of(lab, "worker-360p.1")
    page.get_by_role("button", name="Kill worker-360p.1").click()
    expect(page.locator(".vl-answer")).to_contain_text(f"pid {before} is now", timeout=LONG)
    screenshot("dashboard-jupyter")
    assert page.locator(".vl-process").first.evaluate("(row) => row.scrollWidth <= row.clientWidth"), (
        "nothing sticks out"
    )
