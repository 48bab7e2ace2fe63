"""The widget Lag: it rises when a consumer stands still, falls when that goes on, and marks what was done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.browser.conftest import Show
from tests.browser.jupyter import Jupyter
from tests.lab import RunningLab
from tests.waiting import until
from vidlab import clips

Screenshot = Callable[[str], Path | None]

CONSUMER = "consumer-thumbnail"
GROUP = "video_processing_thumbnail"


@pytest.fixture
def stopped(lab: RunningLab) -> Iterator[Callable[[], None]]:
    """Stops the consumers of the thumbnails when called; they go on again afterwards, and what waits is done."""
    sent: list[str] = []

    def stop() -> None:
        lab.local.pause(CONSUMER)
        sent.append(lab.send(clips.make("tiny", lab.clips, lab.settings)))

    yield stop
    go_on(lab)
    for video_hash in sent:
        lab.ended(video_hash)


def go_on(lab: RunningLab) -> None:
    paused = [one.name for one in lab.local.status().processes if one.kind == CONSUMER and one.state == "paused"]
    for name in paused:
        lab.local.resume(name)


def group(page: Page) -> Any:
    """What is told of the group, in the first widget of the page."""
    return page.locator(f"[data-group={GROUP}]").first


def drawn(page: Page) -> dict[str, Any]:
    """What Plotly draws in the last widget: labels, and of each trace of the group its last values."""
    return dict(
        page.evaluate(
            """(group) => {
              const plot = [...document.querySelectorAll(".js-plotly-plot")].at(-1);
              const traces = plot.data.filter((one) => one.name === group);
              return {
                marks: plot.layout.annotations.map((one) => one.text),
                lines: plot.layout.shapes.length,
                axes: traces.map((one) => one.yaxis),
                last: traces.map((one) => one.y.at(-1)),
                most: traces.map((one) => Math.max(...one.y)),
                seconds: (plot.layout.xaxis.range[1] - plot.layout.xaxis.range[0]) / 1000,
              };
            }""",
            GROUP,
        )
    )


def marked(page: Page, words: str) -> None:
    """Wait until a label says so."""
    until(lambda: any(words in one for one in drawn(page)["marks"]), words)


def plotted(page: Page, widgets: int = 1) -> None:
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot').length === {widgets}")

    # A snapshot may come before Kafka has answered: then there are axes, and no line yet.
    page.wait_for_function(
        "[...document.querySelectorAll('.js-plotly-plot')].every((plot) => plot.data.some((one) => one.x.length))"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_rises_and_falls_and_marks_what_was_done(
    page: Page, lab: RunningLab, show: Show, stopped: Callable[[], None], theme: str, screenshot: Screenshot
) -> None:
    show(page, lab, "lag", theme=theme, minutes=1)
    plotted(page)
    expect(page.get_by_role("status")).to_have_text("live")
    stopped()
    expect(group(page).locator("b")).not_to_have_text("0")
    expect(group(page).locator(".vl-age")).to_contain_text(re.compile(r"[2-9]\.\d s"))
    until(lambda: drawn(page)["last"][1] > 2, "the line of seconds rises")
    assert drawn(page)["axes"] == ["y", "y2"]
    assert drawn(page)["last"][0] >= 1
    go_on(lab)
    expect(group(page).locator("b")).to_have_text("0")
    until(lambda: drawn(page)["last"] == [0, 0], "both lines are down again")
    assert drawn(page)["most"][1] > 2  # and what was stays in the chart
    marks = drawn(page)["marks"]
    assert [one for one in marks if one.startswith(f"pause {CONSUMER}")]
    assert [one for one in marks if one.startswith(f"resume {CONSUMER}")]
    assert drawn(page)["lines"] == len(marks)
    screenshot(f"lag-{theme}")


def test_kills_scalings_and_faults_are_marked(page: Page, lab: RunningLab, show: Show, screenshot: Screenshot) -> None:
    show(page, lab, "lag", minutes=1)
    plotted(page)
    before = lab.local.scale(CONSUMER, 2)
    lab.local.wait(CONSUMER)
    lab.local.kill("worker-thumbnail.1")
    lab.local.wait("worker-thumbnail.1")
    lab.local.fault("pause", "keeper", seconds=1)
    lab.local.scale(CONSUMER, before)
    try:
        for words in ("scale consumer-thumbnail 1 → 2", "kill worker-thumbnail.1", "fault: paused keeper"):
            marked(page, words)
        until(lambda: not lab.local.faults(), "the fault is over")
        marked(page, "over: keeper")
    finally:
        screenshot("lag-marks-light")
        lab.local.faults_over()


def test_the_window_is_as_long_as_the_kernel_says(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "lag", minutes=5)
    plotted(page)
    assert drawn(page)["seconds"] == pytest.approx(30)  # more is not known yet
    page.evaluate("shown[0].model.set('minutes', 0.2)")
    until(lambda: drawn(page)["seconds"] == pytest.approx(12), "so much is shown")


def test_two_on_one_page_and_one_that_is_disposed_leaves_nothing(page: Page, lab: RunningLab, show: Show) -> None:
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    show(page, lab, "lag", count=2, minutes=1)
    plotted(page, 2)
    until(lambda: len(sockets) == 2, "each has a socket")
    page.evaluate("shown[0].dispose()")
    page.wait_for_function("document.querySelectorAll('.vidlab-lag').length === 1")
    until(lambda: page.evaluate("1") and [one.is_closed() for one in sockets].count(True) == 1, "its socket is closed")
    points = "document.querySelector('.js-plotly-plot').data[0].x.length"
    before = page.evaluate(points)
    page.wait_for_function(f"{points} > {before}")  # the other one goes on
    page.evaluate("shown[1].dispose()")
    until(lambda: page.evaluate("1") and all(one.is_closed() for one in sockets), "no socket is left")


def test_it_moves_while_a_cell_blocks_the_kernel(
    page: Page, lab: RunningLab, jupyter: Jupyter, stopped: Callable[[], None], tmp_path: Path, screenshot: Screenshot
) -> None:
    over = tmp_path / "over"
    cells = [
        "from vidlab.widgets import Lag\nLag(minutes=1)",
        f"import pathlib, time\nprint('bl' + 'ocked')\n"
        f"while not pathlib.Path({str(over)!r}).exists(): time.sleep(0.1)\nprint('fr' + 'ee')",
    ]
    jupyter.run(page, cells)
    try:
        plotted(page)
        said = page.locator(".jp-OutputArea pre", has_text="blocked")
        expect(said).to_be_visible()
        stopped()
        until(lambda: drawn(page)["last"][1] > 2, "the line rises")
        expect(said).not_to_contain_text("free")
        screenshot("lag-jupyter-light")
    finally:
        over.touch()
    expect(said).to_contain_text("free")
