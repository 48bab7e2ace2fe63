"""The widget Player: the video plays, a level can be forced, a slow line has it choose a lower one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import m3u8
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Show
from tests.lab import RunningLab
from tests.waiting import until
from vidlab import clips

Screenshot = Callable[[str], Path | None]
TIME = "document.querySelector('video').currentTime"


@pytest.fixture(scope="module")
def video(lab: RunningLab) -> dict[str, Any]:
    """A completed video of several rungs and segments."""
    return lab.ended(lab.send(clips.make("landscape", lab.clips, lab.settings)))


def play(page: Page) -> None:
    page.evaluate("document.querySelector('video').muted = true")
    page.evaluate("document.querySelector('video').play()")


def fact(page: Page, name: str) -> Any:
    return page.locator(".vl-facts > div", has=page.locator("dt", has_text=name)).locator("dd")


def rungs(video: dict[str, Any]) -> list[str]:
    """The levels of the master playlist, as people call them."""
    playlists = m3u8.loads(httpx.get(video["master_url"], trust_env=False).text).playlists
    return sorted(f"{min(one.stream_info.resolution)}p" for one in playlists)


def test_it_plays_and_its_levels_are_the_masters(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any], screenshot: Screenshot
) -> None:
    show(page, lab, "player", video_hash=video["video_hash"])
    levels = page.get_by_label("Level")
    expect(levels.locator("option")).to_have_count(1 + len(rungs(video)))
    offered = [words.split(",")[0] for words in levels.locator("option").all_text_contents()]
    assert offered[0] == "automatic"
    assert sorted(offered[1:]) == rungs(video)
    screenshot("player-ready-light")
    play(page)
    page.wait_for_function(f"{TIME} > 1")
    expect(fact(page, "Level")).to_contain_text("p")
    expect(fact(page, "Bandwidth")).to_contain_text("bit/s")
    expect(fact(page, "Buffer")).not_to_have_text("0.0 s")
    screenshot("player-playing-light")


@pytest.mark.parametrize("height", [144, 720])
def test_a_forced_level_shows(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any], height: int, screenshot: Screenshot
) -> None:
    show(page, lab, "player", theme="dark", video_hash=video["video_hash"])
    levels = page.get_by_label("Level")
    expect(levels.locator("option")).to_have_count(1 + len(rungs(video)))
    label = next(words for words in levels.locator("option").all_text_contents() if words.startswith(f"{height}p"))
    levels.select_option(label=label)
    play(page)
    page.wait_for_function(f"document.querySelector('video').videoHeight === {height} && {TIME} > 0.2")
    expect(fact(page, "Level")).to_have_text(f"{height}p, forced")
    screenshot(f"player-forced-{height}-dark")


def test_a_slow_line_has_it_choose_the_lowest_level(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any]
) -> None:
    show(page, lab, "player", video_hash=video["video_hash"])
    page.get_by_label("Line").select_option(label="300 kbit/s")
    page.evaluate("shown[0].model.set('video_hash', shown[0].model.get('video_hash'))")  # anew, with nothing buffered
    expect(page.locator(".vl-status")).to_contain_text("ready")
    play(page)
    page.wait_for_function(f"{TIME} > 0.2")
    expect(fact(page, "Level")).to_have_text("144p")
    expect(fact(page, "Bandwidth")).to_have_text(re.compile(r"^\d+ kbit/s$"))


def test_the_end_is_told(page: Page, lab: RunningLab, show: Show, video: dict[str, Any]) -> None:
    show(page, lab, "player", video_hash=video["video_hash"])
    expect(fact(page, "Buffer")).not_to_have_text("0.0 s")
    page.evaluate(f"document.querySelector('video').currentTime = {video['duration'] - 1}")
    play(page)
    expect(page.locator(".vl-status")).to_contain_text("the end")


def test_without_a_hash_the_newest_completed_is_played(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any]
) -> None:
    show(page, lab, "player", video_hash="")
    newest = lab.client.videos(status="completed", limit=1)[0]
    expect(page.locator(".vl-caption")).to_contain_text(newest["video_hash"][:12])
    expect(page.locator("video")).to_have_attribute("poster", newest["thumbnail_url"])


def test_one_that_is_not_completed_is_waited_for(page: Page, lab: RunningLab, show: Show) -> None:
    sent = lab.send(clips.make("tiny", lab.clips, lab.settings))
    show(page, lab, "player", video_hash=sent)
    expect(page.locator(".vl-caption")).to_contain_text(sent[:12])
    assert lab.client.video(sent)["status"] == "completed"


def test_what_cannot_be_played_is_said_in_a_sentence(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "player", video_hash="0" * 32)
    expect(page.get_by_role("alert")).to_contain_text("There is no video")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_an_api_that_is_away_is_told_and_tried_again(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any], screenshot: Screenshot
) -> None:
    page.route("**/media/**/master.m3u8", lambda route: route.abort())
    show(page, lab, "player", video_hash=video["video_hash"])
    expect(page.get_by_role("alert")).to_contain_text("is the lab up?")
    screenshot("player-away-light")
    page.unroute("**/media/**/master.m3u8")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_label("Level").locator("option")).to_have_count(1 + len(rungs(video)))


def test_two_of_them_play_and_one_that_is_disposed_stops(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any]
) -> None:
    show(page, lab, "player", count=2, video_hash=video["video_hash"])
    page.evaluate("window.first = document.querySelector('video')")
    page.evaluate("document.querySelectorAll('video').forEach((one) => { one.muted = true; one.play(); })")
    page.wait_for_function("[...document.querySelectorAll('video')].every((one) => one.currentTime > 0.5)")
    page.evaluate("shown[0].dispose()")
    assert page.evaluate("[first.paused, first.currentSrc === '' || first.readyState === 0]") == [True, True]
    before = page.evaluate(TIME)
    page.wait_for_function(f"{TIME} > {before} + 0.5")


def test_an_api_that_is_away_while_it_waits_is_asked_again(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any]
) -> None:
    page.route("**/videos/*", lambda route: route.abort(), times=1)
    show(page, lab, "player", video_hash=video["video_hash"])
    expect(page.locator(".vl-status")).to_contain_text("It is asked again.")
    expect(page.locator(".vl-status")).to_contain_text("ready")
    expect(page.locator(".vl-problem")).to_be_empty()


def test_what_is_deleted_meanwhile_is_told(page: Page, lab: RunningLab, show: Show) -> None:
    sent = lab.send(clips.make("tiny", lab.clips, lab.settings))
    lab.ended(sent)
    held: list[Route] = []
    page.route("**/*.ts", lambda route: held.append(route))
    show(page, lab, "player", video_hash=sent)
    until(lambda: page.evaluate("1") and held, "a segment is asked for")
    lab.client.delete(sent)
    page.unroute("**/*.ts")
    expect(page.get_by_role("alert")).to_contain_text("it was deleted")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no video")


#: The browser takes no media until it is set up anew, as after an error in its decoder.
REFUSING = """
window.players = 0;
const { appendBuffer } = SourceBuffer.prototype;
SourceBuffer.prototype.appendBuffer = function (data) {
  if (players < 2) throw new Error("not now");
  return appendBuffer.call(this, data);
};
const { createObjectURL } = URL;
URL.createObjectURL = (what) => {
  players += what instanceof MediaSource;
  return createObjectURL(what);
};
"""


def test_it_recovers_from_an_error_of_the_browsers_decoder(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any]
) -> None:
    page.add_init_script(REFUSING)
    show(page, lab, "player", video_hash=video["video_hash"])
    page.wait_for_function("players > 1")
    play(page)
    page.wait_for_function(f"{TIME} > 0.2")
    expect(page.locator(".vl-problem")).to_be_empty()
