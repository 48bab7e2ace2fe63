"""What a page does while its socket is refused, hangs or comes back: with a lab that the test plays, and its clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import Pages
from tests.browser.played import HASH, Played, event, process, video
from tests.waiting import until

SILENCE = 6_000  # milliseconds in which a socket must have said something
PATIENCE = 12_000  # milliseconds for the answer to a question
MINUTE = 60  # seconds


@pytest.fixture
def shown(page: Page) -> Page:
    """A page whose clock the test can put forward."""
    page.clock.install()
    return page


def chip(page: Page, words: str) -> None:
    expect(page.locator(".vl-live")).to_have_text(words)


def later(page: Page, milliseconds: int) -> None:
    page.clock.run_for(milliseconds)


def settled(page: Page, count: Callable[[], int]) -> int:
    """How many there are, once what was on its way has come; one that was given up may still be told later."""
    before = -1
    while before != (before := count()):
        page.wait_for_timeout(150)
    return before + 1


def at_rest(page: Page, played: Played) -> None:
    """For a while the lab says that it is there, and no more."""
    for _ in range(4):
        later(page, 2000)
        played.say({"type": "beat"})
        page.wait_for_timeout(50)  # that it arrives


def test_while_no_socket_can_be_had_the_lab_is_asked_again_and_again(shown: Page, pages: Pages, played: Played) -> None:
    played.refused = 1013
    pages.show(shown, played.addresses, "dashboard")
    chip(shown, "polling")
    played.snapshot["videos"] = [video("the second one")]
    later(shown, 2000)
    expect(shown.get_by_text("the second one").first).to_be_attached()
    played.refused = None
    later(shown, 7000)
    chip(shown, "live")
    asked = settled(shown, lambda: played.count("/live"))
    at_rest(shown, played)
    assert played.count("/live") <= asked, "nobody asks what is told"


def test_a_lab_at_rest_is_live_as_long_as_it_says_so(shown: Page, pages: Pages, played: Played) -> None:
    pages.show(shown, played.addresses, "dashboard")
    chip(shown, "live")
    at_rest(shown, played)
    chip(shown, "live")
    assert len(played.sockets) == 1


def test_a_connection_that_hangs_is_told_and_left(shown: Page, pages: Pages, played: Played) -> None:
    pages.show(shown, played.addresses, "dashboard")
    chip(shown, "live")
    played.answers["/live"] = None
    played.says_nothing = True
    later(shown, SILENCE)
    chip(shown, "no connection")
    expect(shown.locator(".vl-why")).to_contain_text("The API does not answer")
    played.says_nothing = False
    later(shown, SILENCE)
    chip(shown, "live")
    assert len(played.closed) >= 1


def test_a_question_that_hangs_is_asked_again(shown: Page, pages: Pages, played: Played) -> None:
    played.answers["/live"] = None
    played.says_nothing = True
    pages.show(shown, played.addresses, "dashboard")
    chip(shown, "connecting")
    later(shown, SILENCE)
    chip(shown, "no connection")
    until(lambda: shown.evaluate("1") and played.count("/live") == 1, "it is asked")
    later(shown, PATIENCE)
    shown.wait_for_timeout(50)  # that the first is given up
    played.answers["/live"] = played.snapshot
    later(shown, 2000)
    chip(shown, "polling")


def test_a_lab_that_is_down_is_tried_less_and_less_often(shown: Page, pages: Pages, played: Played) -> None:
    played.refused = 1013
    pages.show(shown, played.addresses, "dashboard")
    for _ in range(MINUTE):
        later(shown, 1000)
        shown.wait_for_timeout(10)
    assert 8 <= len(played.sockets) <= 25


def test_of_a_video_that_nobody_knows_nobody_is_asked_again(shown: Page, pages: Pages, played: Played) -> None:
    played.refused = 4404
    pages.show(shown, played.addresses, "timeline", video_hash=HASH)
    expect(shown.get_by_role("alert")).to_have_text("There is no such film.")
    later(shown, 20_000)
    shown.wait_for_timeout(50)
    assert len(played.sockets) == 1


@pytest.mark.parametrize("refused", [None, 1013])
def test_nothing_goes_on_after_the_end(shown: Page, pages: Pages, played: Played, refused: int | None) -> None:
    played.refused = refused
    pages.show(shown, played.addresses, "dashboard")
    chip(shown, "polling" if refused else "live")
    shown.evaluate("shown[0].dispose()")
    until(lambda: shown.evaluate("1") and len(played.closed) == len(played.sockets), "all is closed")
    before = settled(shown, lambda: len(played.sockets) + len(played.asked))
    later(shown, 20_000)
    shown.wait_for_timeout(50)
    assert len(played.sockets) + len(played.asked) <= before


def test_what_is_silent_says_nothing_of_processes_but_their_supervisor_does(
    shown: Page, pages: Pages, played: Played
) -> None:
    pages.show(shown, played.addresses, "dashboard")
    chip(shown, "live")
    played.answers |= {"/live": None, "/control/processes": [process("api", state="paused")]}
    played.says_nothing = True
    later(shown, SILENCE)
    expect(shown.locator(".vl-why")).to_contain_text("The API is paused")
    expect(shown.get_by_role("button", name="Resume api")).to_be_enabled()
    played.answers["/live"] = played.snapshot
    played.says_nothing = False
    later(shown, SILENCE)
    chip(shown, "live")
    asked = settled(shown, lambda: played.count("/control/processes"))
    at_rest(shown, played)
    assert played.count("/control/processes") <= asked, "it is asked no more"


@pytest.mark.parametrize("name", ["dashboard", "lag"])
def test_a_lab_that_came_back_elsewhere_is_taken_over(page: Page, pages: Pages, played: Played, name: str) -> None:
    elsewhere = Played(page, pages, "elsewhere")
    elsewhere.snapshot |= {"events": [event(1, "keeper killed by you")]}
    pages.show(page, played.addresses, name, minutes=1)
    until(lambda: page.evaluate("1") and len(played.sockets) == 1, "it listens")
    page.evaluate("(addresses) => shown[0].model.set('addresses', addresses)", elsewhere.addresses)
    until(lambda: page.evaluate("1") and len(played.closed) == 1, "it listens to the old one no more")
    expect(page.get_by_text("keeper").last).to_be_attached()
    assert len(elsewhere.sockets) == 1
