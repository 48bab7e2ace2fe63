"""The widget Verdict: a lab that is well, one with an anomaly and the events around it, and judging again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocket, expect
from sqlalchemy import delete, insert

import vidlab
from tests.browser.conftest import Show
from tests.browser.jupyter import Jupyter
from tests.lab import RunningLab
from vidlab.face import Lab
from vidlab.lab import verdict as judged
from vidlab.lab.check import check
from vidlab.lab.evidence import collect
from vidlab.lab.history import History, Writer
from vidlab.lab.workload import items, run
from vidlab.models import Event, events
from vidlab.store.clock import now
from vidlab.widgets import Verdict

Screenshot = Callable[[str], Path | None]
KINDS = ["lost", "stuck", "twice", "wrong", "leaked"]


@pytest.fixture(scope="module")
def face(lab: RunningLab) -> Iterator[Lab]:
    connected = vidlab.connect(lab.settings.state)
    yield connected
    connected._forget()


@pytest.fixture(scope="module")
def history(lab: RunningLab) -> Iterator[History]:
    """What the client of one video saw, which has ended."""
    with Writer(lab.settings.state, "test-verdict") as writer:
        seen = run(items(1, ("tiny",), rate=4), lab.settings, writer)
    for video_hash in seen.hashes:
        lab.ended(video_hash)
    yield seen
    writer.path.unlink()


def judge(lab: RunningLab, history: History) -> judged.Verdict:
    return check(history, collect(lab.local, list(history.hashes)))


@contextmanager
def done_twice(lab: RunningLab, video_hash: str) -> Iterator[int]:
    """A stage told to be done a second time, after which more was told; gives the id of what shows it."""
    story = lab.store.events(video_hash)
    first = next(event for event in story if (event.kind, event.stage) == ("done", "144p"))
    names = [name for name in Event.__dataclass_fields__ if name != "id"]
    again = {name: getattr(first, name) for name in names} | {"at": now()}
    after = {**again, "kind": "told", "stage": None, "detail": "nothing of importance"}
    with lab.store.database.write() as connection:
        planted = [
            int(connection.execute(insert(events).values(row).returning(events.c.id)).scalar_one())
            for row in (again, *(after for _ in range(9)))
        ]
    try:
        yield planted[0]
    finally:
        with lab.store.database.write() as connection:
            connection.execute(delete(events).where(events.c.id.in_(planted)))


def number(page: Page, kind: str) -> Any:
    return page.locator(f".vl-number[data-kind={kind}] dd")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_lab_that_is_well_is_said_to_be_so(
    page: Page, lab: RunningLab, face: Lab, history: History, show: Show, theme: str, screenshot: Screenshot
) -> None:
    widget = Verdict(face, verdict=judge(lab, history))
    show(page, lab, "verdict", theme=theme, told=widget.told, wanted=0)
    expect(page.get_by_role("status")).to_have_text("✓ all is well")
    assert page.locator(".vl-number dt").all_text_contents() == KINDS
    for kind in KINDS:
        expect(number(page, kind)).to_have_text("0")
    expect(page.locator(".vl-example")).to_have_count(0)
    assert "Nothing lost, stuck" in widget.picture()
    screenshot(f"verdict-well-{theme}")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_anomaly_is_shown_with_what_surrounds_it(
    page: Page, lab: RunningLab, face: Lab, history: History, show: Show, theme: str, screenshot: Screenshot
) -> None:
    (video_hash,) = history.hashes
    with done_twice(lab, video_hash) as planted:
        widget = Verdict(face, verdict=judge(lab, history))
    show(page, lab, "verdict", theme=theme, told=widget.told, wanted=0)
    expect(page.get_by_role("status")).to_have_text("✗ not well")
    expect(number(page, "twice")).to_have_text("1")
    expect(number(page, "lost")).to_have_text("0")
    example = page.locator(".vl-example[data-kind=twice]")
    expect(example).to_contain_text(video_hash[:8])
    expect(example.locator(f".vl-here[data-event='{planted}']")).to_contain_text("here")
    shown = [
        int(one) for one in example.locator("[data-event]").evaluate_all("(all) => all.map((one) => one.dataset.event)")
    ]
    place = shown.index(planted)
    assert shown[place + 1 :] == [planted + 1, planted + 2]  # and not the last of all
    assert place >= 3
    expect(example.locator(".vl-left-out").last).to_contain_text("7 events more")
    assert ">here<" in widget.picture()
    screenshot(f"verdict-anomaly-{theme}")


def test_the_button_is_there_only_where_a_kernel_answers(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "verdict", count=2, told={}, answer="what another one said", wanted=0)
    button = page.get_by_role("button", name="Judge again")
    expect(button).to_have_count(0)
    page.evaluate("shown[0].model.set('answer', shown[0].model.get('call'))")
    expect(button).to_have_count(1)
    button.press("Enter")
    assert page.evaluate("shown.map(({ model }) => model.get('wanted'))") == [1, 0]
    page.evaluate("shown[0].model.set('judging', true)")
    expect(page.get_by_role("button", name="judging")).to_be_disabled()


def test_what_kept_the_kernel_from_judging_is_said(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "verdict", told={}, problem="kafka does not answer", wanted=0)
    expect(page.get_by_role("alert")).to_have_text("kafka does not answer")


def test_it_opens_no_socket_and_disposed_it_hears_nothing(page: Page, lab: RunningLab, show: Show) -> None:
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    show(page, lab, "verdict", count=2, told={}, wanted=0)
    page.evaluate("shown[0].dispose()")
    expect(page.locator(".vidlab-verdict")).to_have_count(1)
    heard = page.evaluate("shown.map(({ model }) => model.heard.length)")
    assert heard[0] == 0
    assert heard[1] > 0
    assert sockets == []


def test_in_jupyter_the_kernel_judges_again(page: Page, jupyter: Jupyter, screenshot: Screenshot) -> None:
    jupyter.run(
        page,
        [
            "from vidlab.lab.verdict import Verdict as Judged\n"
            "from vidlab.widgets import Verdict\n"
            "widget = Verdict(verdict=Judged(videos=10_007, ended=10_007))\n"
            "widget"
        ],
        theme="dark",
    )
    expect(page.locator(".vidlab-verdict")).to_contain_text("10007 of 10007 videos")
    page.get_by_role("button", name="Judge again").click()
    expect(page.locator(".vidlab-verdict")).not_to_contain_text("10007", timeout=90_000)
    expect(page.get_by_role("button", name="Judge again")).to_be_enabled()
    screenshot("verdict-jupyter-dark")
