"""What a page makes of what it is told: common/state.js by itself."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.pages import Pages
from tests.browser.played import event, video

FOLDED = """async (messages) => {
  const { fold, NOTHING } = await import("/src/common/state.js");
  return messages.reduce(fold, NOTHING);
}"""


@pytest.fixture
def fold(page: Page, pages: Pages) -> Any:
    """Gives the state after these messages."""
    pages.written["/empty"] = "<!doctype html><link rel=icon href=data:,>"
    page.goto(f"{pages.url}/empty")
    return lambda *messages: page.evaluate(FOLDED, list(messages))


def snapshot(**more: Any) -> dict[str, Any]:
    return {"type": "snapshot", "at": "now", **more}


def ids(state: dict[str, Any]) -> list[str]:
    return [one["id"] for one in state["events"]]


def at(number: int, text: str = "") -> dict[str, Any]:
    return event(number, text, at=f"2026-01-01T00:{number // 60:02}:{number % 60:02}+00:00")


def told(one: dict[str, Any]) -> dict[str, Any]:
    return {"type": "event", "event": one}


def test_an_event_that_is_told_again_is_one_and_the_newest_comes_first(fold: Any) -> None:
    state = fold(snapshot(events=[at(1), at(2)]), told(at(4)), told(at(3)), snapshot(events=[at(2), at(3), at(5)]))
    assert ids(state) == ["lab-5", "lab-4", "lab-3", "lab-2", "lab-1"]


def test_no_more_events_are_kept_than_are_shown(fold: Any) -> None:
    state = fold(*(told(at(number)) for number in range(250)))
    assert (len(ids(state)), ids(state)[0], ids(state)[-1]) == (200, "lab-249", "lab-50")


def film(title: str, number: int) -> dict[str, Any]:
    return video(title, f"{number:032}", created_at=f"2026-01-01T00:00:{number:02}+00:00")


def titles(state: dict[str, Any]) -> list[str]:
    return [one["title"] for one in state["videos"]]


def test_videos_stand_once_each_and_the_newest_first(fold: Any) -> None:
    first = snapshot(videos=[film("a", 1), film("b", 2)])
    changed = [{"type": "video", "video": one} for one in (film("c", 3), film("a again", 1))]
    assert titles(fold(first, *changed)) == ["c", "b", "a again"]


def test_one_that_is_gone_is_shown_no_more(fold: Any) -> None:
    first = snapshot(videos=[film("a", 1), film("b", 2)])
    assert titles(fold(first, {"type": "gone", "video_hash": film("a", 1)["video_hash"]})) == ["b"]


def test_of_one_video_the_snapshot_has_just_that(fold: Any) -> None:
    assert titles(fold(snapshot(video=film("a", 1)))) == ["a"]


def test_who_is_away_stays_away_until_it_is_back_or_a_snapshot_knows_better(fold: Any) -> None:
    away = [{"type": "away", "name": name, "why": "refused"} for name in ("kafka", "redis")]
    assert fold(*away, {"type": "back", "name": "kafka"})["away"] == {"redis": "refused"}
    assert fold(*away, snapshot())["away"] == {}


@pytest.mark.parametrize("message", [{"type": "beat"}, {"type": "of a later lab"}])
def test_what_is_not_known_here_changes_nothing(fold: Any, message: dict[str, Any]) -> None:
    first = snapshot(videos=[film("a", 1)], queues=[], faults=[])
    assert fold(first, message) == fold(first)
