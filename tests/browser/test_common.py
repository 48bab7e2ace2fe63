"""What all widgets have in common: their end, their themes, and that no text of somebody else becomes HTML."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import Pages
from tests.browser.played import GROUP, HASH, Played, event, process, video
from tests.waiting import until

#: Knows the intervals that go on.
INTERVALS = """
window.intervals = new Set();
const [begin, end] = [window.setInterval, window.clearInterval];
window.setInterval = (...all) => { const made = begin(...all); intervals.add(made); return made; };
window.clearInterval = (one) => { intervals.delete(one); end(one); };
"""
LIVE = ("dashboard", "lag", "timeline")  # the widgets that have a socket


@pytest.fixture
def following(played: Played) -> Played:
    """It tells of a video too, and of its spans."""
    played.snapshot |= {"video": video(), "videos": [video()]}
    played.answers |= {f"/videos/{HASH}/timeline": {"spans": []}, f"/videos/{HASH}": video()}
    return played


def show(page: Page, pages: Pages, played: Played, name: str) -> None:
    """Show that widget, with all that any of them wants to be told by the kernel."""
    pages.show(page, played.addresses, name, video_hash=HASH, minutes=1, chunk_bytes=1024)


# -- the end


@pytest.mark.parametrize("name", LIVE)
@pytest.mark.parametrize("end", ["shown[0].model.tell('comm_live_update')", "shown[0].dispose()"])
def test_a_widget_whose_kernel_or_cell_is_gone_goes_on_no_more(
    page: Page, pages: Pages, following: Played, name: str, end: str
) -> None:
    page.add_init_script(INTERVALS)
    show(page, pages, following, name)
    until(lambda: page.evaluate("intervals.size") and following.sockets, "it is live")
    page.evaluate(end)
    assert page.evaluate("intervals.size") == 0
    until(lambda: page.evaluate("1") and following.closed == following.sockets, "its socket is closed")
    asked = len(following.asked)
    page.wait_for_timeout(1500)  # longer than any of them waits between two looks
    assert (len(following.asked), len(following.sockets)) == (asked, 1)


# -- themes

LIGHT, DARK = "light", "dark"
COLOURS = """() => {
  const style = getComputedStyle(document.querySelector(".vidlab"));
  return [style.color, style.backgroundColor];
}"""
PLOTTED = "document.querySelector('.js-plotly-plot').layout.font.color"


def brightness(colour: str) -> float:
    """0 is black, 255 white."""
    return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 3


def assert_readable(page: Page, theme: str) -> None:
    front, ground = map(brightness, page.evaluate(COLOURS))
    assert (front > 200, ground < 60) == (theme == DARK, theme == DARK)
    assert abs(front - ground) > 150


@pytest.mark.parametrize("name", [*LIVE, "player", "upload"])
def test_a_widget_follows_jupyters_theme_and_not_the_systems(
    page: Page, pages: Pages, following: Played, name: str
) -> None:
    page.emulate_media(color_scheme="dark")
    show(page, pages, following, name)
    assert_readable(page, LIGHT)
    page.emulate_media(color_scheme="light")
    turn(page, DARK)
    assert_readable(page, DARK)


def test_elsewhere_it_follows_the_systems(page: Page, pages: Pages, played: Played) -> None:
    page.emulate_media(color_scheme="dark")
    pages.show(page, played.addresses, "dashboard")
    page.evaluate("delete document.documentElement.dataset.jpThemeLight")
    assert_readable(page, DARK)


def test_a_chart_that_is_drawn_follows_a_change_of_theme(page: Page, pages: Pages, played: Played) -> None:
    played.snapshot["lag"] = [{"group": GROUP, "topic": "t", "messages": 1, "seconds": 1.0}]
    pages.show(page, played.addresses, "lag", minutes=1)
    page.wait_for_function("document.querySelector('.js-plotly-plot')?.data.length")
    assert brightness(page.evaluate(PLOTTED)) < 60
    turn(page, DARK)
    until(lambda: brightness(page.evaluate(PLOTTED)) > 200, "it is drawn anew")


def turn(page: Page, theme: str) -> None:
    page.evaluate(f"document.documentElement.dataset.jpThemeLight = '{str(theme == LIGHT).lower()}'")


# -- what somebody else wrote

HOSTILE = "<img src=x onerror='window.hacked = 1'><b>bold</b>"


def assert_is_text(page: Page) -> None:
    """It stands there as it was written, and did nothing."""
    expect(page.get_by_text(HOSTILE).first).to_be_attached()
    page.wait_for_timeout(100)  # in which a picture would have failed to load
    assert page.evaluate("[window.hacked, document.querySelectorAll('.vidlab img, .vidlab b b').length]") == [None, 0]


def test_a_hostile_title_stays_a_text_in_the_dashboard(page: Page, pages: Pages, following: Played) -> None:
    shown = video(HOSTILE, filename=HOSTILE)
    about = event(2, HOSTILE, source="video", video_hash=HASH, stage="144p")
    following.snapshot |= {"videos": [shown], "events": [event(1, f"keeper {HOSTILE}"), about]}
    following.snapshot |= {"processes": [process("api", note=HOSTILE)]}
    following.snapshot |= {"faults": [{"id": 1, "name": HOSTILE, "target": HOSTILE}]}
    pages.show(page, following.addresses, "dashboard")
    for place in (".vl-title", ".vl-sentence", ".vl-what", ".vl-about", ".vl-why"):
        expect(page.locator(place, has_text="<b>bold</b>").first).to_be_attached()
    ended = video(HOSTILE, status="completed", ended_at=shown["created_at"])
    following.say({"type": "video", "video": ended})
    expect(page.locator(".vl-sentence")).to_contain_text("is completed")
    following.say({"type": "away", "name": "redis", "why": HOSTILE})
    expect(page.locator(".vl-why")).to_contain_text("redis is away")
    assert_is_text(page)


def test_a_hostile_title_stays_a_text_in_the_timeline(page: Page, pages: Pages, following: Played) -> None:
    following.snapshot["video"] = video(HOSTILE)
    pages.show(page, following.addresses, "timeline", video_hash=HASH)
    expect(page.locator(".vl-title")).to_have_text(HOSTILE)
    assert_is_text(page)


def test_a_hostile_word_stays_a_text_in_the_chart_of_lag(page: Page, pages: Pages, played: Played) -> None:
    link = "<a href='javascript:1'>here</a>"
    played.snapshot |= {
        "lag": [{"group": GROUP, "topic": "t", "messages": 1, "seconds": 1.0}],
        "events": [event(1, f"keeper {link}", kind="fault"), event(2, "", kind="paused", process=HOSTILE)],
        "away": {"redis": HOSTILE},
    }
    pages.show(page, played.addresses, "lag", minutes=1)
    expect(page.locator(".js-plotly-plot .annotation", has_text="<a href=")).to_be_attached()
    assert page.locator(".js-plotly-plot .annotation a").count() == 0
    assert_is_text(page)


def test_a_hostile_title_stays_a_text_in_the_player(page: Page, pages: Pages, played: Played) -> None:
    played.answers[f"/videos/{HASH}"] = video(HOSTILE)
    pages.show(page, played.addresses, "player", video_hash=HASH)
    assert_is_text(page)


def test_a_hostile_name_of_a_file_stays_a_text(page: Page, pages: Pages, played: Played) -> None:
    played.answers["/clips"] = [{"name": "tiny", "what": HOSTILE}]
    pages.show(page, played.addresses, "upload", chunk_bytes=1024)
    page.locator("input[type=file]").set_input_files({"name": HOSTILE, "mimeType": "video/mp4", "buffer": b"film"})
    expect(page.locator(".vl-upload .vl-name")).to_have_text(HOSTILE)
    expect(page.locator("option", has_text=HOSTILE)).to_be_attached()
    assert_is_text(page)


# -- the token


@pytest.mark.parametrize("name", [*LIVE, "player", "upload"])
def test_each_question_carries_the_token(page: Page, pages: Pages, following: Played, name: str) -> None:
    following.addresses["token"] = "secret?>"
    following.refused = 1013
    following.answers["/clips"] = [{"name": "tiny", "what": "small"}]
    show(page, pages, following, name)
    if name == "upload":
        page.locator("input[type=file]").set_input_files({"name": "a.mp4", "mimeType": "video/mp4", "buffer": b"film"})
        until(lambda: page.evaluate("1") and following.count("/videos/upload"), "it is sent")
        expect(page.locator("option")).to_have_count(1)
        page.get_by_role("button", name="Send clip").click()
    wanted = {"upload": "/clips/tiny", "player": f"/videos/{HASH}", "timeline": f"/videos/{HASH}/live"}
    until(lambda: page.evaluate("1") and following.count(wanted.get(name, "/live")), "it is asked for")
    for path, headers in zip(following.asked, following.headers, strict=True):
        if not path.startswith("/bundles/"):
            assert headers.get("authorization") == "Bearer secret?>", path
