"""The widget Timeline: its bars are the spans, a lost attempt is seen, and it grows while the video goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, WebSocket, expect

from tests.acceptance.conditions import works
from tests.acceptance.footage import footage
from tests.browser.conftest import Show
from tests.lab import RunningLab
from tests.waiting import until
from vidlab import clips
from vidlab.models import Span
from vidlab.profiles import PROFILES

Screenshot = Callable[[str], Path | None]

ROWS = ["upload", "preprocessing", *(profile.name for profile in PROFILES), "master"]
INNER = {"scan", "probe", "download", "encode", "upload"}


@pytest.fixture(scope="module")
def video(lab: RunningLab) -> dict[str, Any]:
    """A completed video of several rungs."""
    return lab.ended(lab.send(clips.make("landscape", lab.clips, lab.settings)))


def bars(page: Page) -> dict[str, dict[str, Any]]:
    """What each bar says, and where it is drawn, in shares of its lane."""
    found: list[dict[str, Any]] = page.evaluate(
        """() => [...document.querySelectorAll(".vl-span")].map((bar) => {
          const [own, lane] = [bar, bar.parentElement].map((one) => one.getBoundingClientRect());
          return { ...bar.dataset, left: (own.left - lane.left) / lane.width, width: own.width / lane.width,
                   height: own.height, kind: bar.className, stage: bar.parentElement.dataset.stage };
        })"""
    )
    return {one["id"]: one for one in found}


def complete(page: Page) -> None:
    """Wait until the end is shown, and all that was told of it."""
    expect(page.locator(".vl-caption .vl-outcome")).to_contain_text("after finalize")


def seconds(span: Span) -> float:
    assert span.ended_at
    return (span.ended_at - span.started_at).total_seconds()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_bars_are_the_spans_in_the_order_of_the_pipeline(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any], theme: str, screenshot: Screenshot
) -> None:
    show(page, lab, "timeline", theme=theme, video_hash=video["video_hash"])
    complete(page)
    assert page.locator(".vl-lane").evaluate_all("(lanes) => lanes.map((one) => one.dataset.stage)") == ROWS
    spans = {span.span_id: span for span in lab.store.spans(video["video_hash"])}
    drawn = bars(page)
    assert set(drawn) == set(spans)
    for span_id, span in spans.items():
        assert float(drawn[span_id]["seconds"]) == pytest.approx(seconds(span), abs=0.002)
        assert drawn[span_id]["stage"] == span.stage
    screenshot(f"timeline-{theme}")


def test_bars_stand_where_their_spans_are_in_time(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any]
) -> None:
    show(page, lab, "timeline", video_hash=video["video_hash"])
    complete(page)
    spans = [span for span in lab.store.spans(video["video_hash"]) if span.stage != "upload"]  # that one may be cut
    drawn = bars(page)
    # Two bars tell the axis: what all others must fit, from where the first begins to where the last one does.
    first, last = min(spans, key=lambda one: one.started_at), max(spans, key=lambda one: one.started_at)
    apart = (last.started_at - first.started_at).total_seconds()
    scale = (drawn[last.span_id]["left"] - drawn[first.span_id]["left"]) / apart  # shares of the lane in a second
    for span in spans:
        left = drawn[first.span_id]["left"] + scale * (span.started_at - first.started_at).total_seconds()
        assert drawn[span.span_id]["left"] == pytest.approx(left, abs=0.005)
        assert drawn[span.span_id]["width"] == pytest.approx(scale * seconds(span), abs=0.005)


def test_waiting_inner_spans_and_workers_are_told_apart(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any]
) -> None:
    show(page, lab, "timeline", video_hash=video["video_hash"])
    complete(page)
    kinds = {"queue": "vl-queue", "work": "vl-work", "inner": "vl-inner"}
    drawn = bars(page)
    for span in lab.store.spans(video["video_hash"]):
        what = "queue" if span.kind == "queue" else "inner" if span.parent_id else "work"
        assert kinds[what] in drawn[span.span_id]["kind"].split()
    heights = {
        what: {one["height"] for one in drawn.values() if name in one["kind"].split()} for what, name in kinds.items()
    }
    assert max(heights["inner"]) < min(heights["work"])
    assert {one["name"] for one in drawn.values() if "vl-inner" in one["kind"]} >= INNER
    ground = "(one) => getComputedStyle(one).backgroundColor"
    colours = [page.locator(f"[data-stage='144p'] .vl-{one}").first.evaluate(ground) for one in ("queue", "work")]
    assert colours[0] != colours[1]
    expect(page.locator(".vl-stage", has_text="144p")).to_contain_text("worker-144p.1")


def test_a_bar_says_what_it_is_when_it_is_pointed_at_or_reached_by_a_key(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any]
) -> None:
    show(page, lab, "timeline", video_hash=video["video_hash"])
    complete(page)
    encode = next(one for one in bars(page).values() if one["name"] == "encode" and one["stage"] == "720p")
    bar = page.locator(f"[data-id='{encode['id']}']")
    bar.hover()
    detail = page.locator(".vl-detail")
    expect(detail).to_contain_text(f"720p: encode · {encode['seconds']} s from")
    expect(detail).to_contain_text("in worker-720p.1")
    page.locator("[data-stage='144p'] .vl-work").focus()
    expect(detail).to_contain_text("144p, attempt 1")


def test_the_moment_of_completion_is_where_the_last_work_ended(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any]
) -> None:
    show(page, lab, "timeline", video_hash=video["video_hash"])
    complete(page)
    ended, finalized = (datetime.fromisoformat(video[name]) for name in ("ended_at", "finalized_at"))
    expect(page.locator(".vl-caption .vl-outcome")).to_contain_text(f"{(ended - finalized).total_seconds():.1f} s")
    right = "(one) => one.getBoundingClientRect().right"
    line = page.locator("[data-stage=master] .vl-moment.vl-ended").evaluate(right)
    assert line == pytest.approx(page.locator("[data-stage=master] .vl-work").evaluate(right), abs=8)


def test_an_attempt_that_a_kill_ended_is_seen_while_it_goes_on_and_afterwards(
    page: Page, lab: RunningLab, show: Show, screenshot: Screenshot
) -> None:
    video_hash = lab.send(footage("long", lab.clips))
    show(page, lab, "timeline", video_hash=video_hash)
    until(works(lab, video_hash, "360p"), "it is encoded")
    lane = page.locator("[data-stage='360p']")
    expect(lane.locator(".vl-work.vl-is-open")).to_have_count(1)
    until(lambda: grows(lane.locator(".vl-work.vl-is-open")), "the bar grows")
    screenshot("timeline-live-light")
    lab.local.kill("worker-360p.1")
    expect(lane.locator(".vl-work.vl-is-lost")).to_have_count(1)
    expect(lane.locator(".vl-work[data-attempt='2']")).to_have_count(1)
    lab.ended(video_hash)
    complete(page)
    # By the stage's name: the worker that was last made the master, and stands there too.
    expect(page.locator(".vl-stage", has=page.locator("b", has_text="360p"))).to_contain_text("2 attempts")
    expect(page.locator(".vl-is-open:not(.vl-sample)")).to_have_count(0)
    lost = next(span for span in lab.store.spans(video_hash) if (span.name, span.status) == ("360p", "lost"))
    assert float(bars(page)[lost.span_id]["seconds"]) == pytest.approx(seconds(lost), abs=0.002)
    lane.locator(".vl-work.vl-is-lost").hover()
    expect(page.locator(".vl-detail")).to_contain_text("lost: its worker is gone")
    screenshot("timeline-lost-light")
    page.evaluate("document.documentElement.dataset.jpThemeLight = 'false'; document.body.style.background = '#111417'")
    screenshot("timeline-lost-dark")


def grows(bar: Locator) -> bool:
    before = float(bar.get_attribute("data-seconds") or 0)
    bar.page.wait_for_function(
        "(before) => Number(document.querySelector(\"[data-stage='360p'] .vl-is-open\")?.dataset.seconds) > before",
        arg=before,
    )
    return True


def test_without_a_hash_the_newest_is_shown(page: Page, lab: RunningLab, show: Show) -> None:
    video_hash = lab.send(clips.make("tiny", lab.clips, lab.settings))
    show(page, lab, "timeline", video_hash="")
    expect(page.locator(".vl-caption")).to_contain_text(video_hash[:8])
    lab.ended(video_hash)
    complete(page)


def test_of_a_video_that_is_not_there_it_says_so(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "timeline", video_hash="0" * 32)
    expect(page.get_by_role("alert")).to_contain_text("There is no video")


def test_two_on_one_page_and_one_that_is_disposed_leaves_no_socket(
    page: Page, lab: RunningLab, show: Show, video: dict[str, Any]
) -> None:
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    show(page, lab, "timeline", count=2, video_hash=video["video_hash"])
    expect(page.locator(".vl-lane")).to_have_count(2 * len(ROWS))
    page.evaluate("shown[0].dispose()")
    expect(page.locator(".vl-lane")).to_have_count(len(ROWS))
    until(lambda: page.evaluate("1") and [one.is_closed() for one in sockets].count(True) == 1, "its socket is closed")
    page.evaluate("shown[1].dispose()")
    until(lambda: page.evaluate("1") and all(one.is_closed() for one in sockets), "no socket is left")


def test_of_a_video_that_is_deleted_while_it_is_shown_it_says_so(page: Page, lab: RunningLab, show: Show) -> None:
    video_hash = lab.send(clips.make("tiny", lab.clips, lab.settings))
    lab.ended(video_hash)
    show(page, lab, "timeline", video_hash=video_hash)
    complete(page)
    lab.client.delete(video_hash)
    expect(page.get_by_role("alert")).to_have_text("The video was deleted.")
    expect(page.locator(".vl-lane")).to_have_count(0)


def test_an_error_goes_when_the_spans_come(page: Page, lab: RunningLab, show: Show, video: dict[str, Any]) -> None:
    page.route("**/timeline", lambda route: route.abort(), times=1)
    show(page, lab, "timeline", video_hash=video["video_hash"])
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    complete(page)
    expect(page.locator(".vl-problem")).to_be_empty()
