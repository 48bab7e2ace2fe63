"""The first notebook as a newcomer has it: JupyterLab in Chromium, all cells run, the widgets used."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.jupyter import Jupyter, run_all
from tests.browser.test_dashboard import CUT
from tests.lab import RunningLab
from tests.notebooks.notebooks import code_cells, read, told
from tests.waiting import until

NAME = "00_start_here.ipynb"
RUN = 200.0  # seconds for the whole notebook, on a busy machine
IDLE = "worker-1080p.1"  # none of the notebook's videos is large enough for it
STEP = 600  # pixels; less than what the window shows of a notebook

#: JupyterLab keeps only those cells in the page that are near to what is seen.
PANEL = ".jp-WindowedPanel-outer"


@pytest.fixture
def notebook(jupyter: Jupyter, page: Page, lab: RunningLab) -> str:
    """The first notebook, opened; it sends short clips."""
    page.set_viewport_size({"width": 1280, "height": 900})
    stored = read(NAME)
    first = code_cells(stored)[0]
    first.source = f"%env VIDLAB_SMALL_CLIPS=1\n{first.source}"
    jupyter.folder.joinpath(NAME).write_text(nbformat.writes(stored))  # type: ignore[no-untyped-call]
    jupyter.open(page, NAME)
    return NAME


def seen(page: Page, wanted: str) -> Locator:
    """Scroll until it is in the page, and give it."""
    panel, place = page.locator(PANEL).first, 0

    def there() -> bool:
        nonlocal place
        if page.locator(wanted).count():
            return True
        height = int(panel.evaluate("element => element.scrollHeight"))
        place = (place + STEP) % max(STEP, height)
        panel.evaluate("(element, place) => element.scrollTo(0, place)", place)
        page.wait_for_timeout(200)  # JupyterLab puts the cells in
        return False

    until(there, f"{wanted} is in the page", RUN)
    found = page.locator(wanted).first
    found.scroll_into_view_if_needed()
    return found


def pid_of(lab: RunningLab, process: str) -> int | None:
    return {one.name: one.pid for one in lab.local.status().processes}[process]


def kill_by_button(dashboard: Locator, lab: RunningLab, process: str) -> int:
    """Press kill beside a process, and give the pid that it has when it is there again."""
    before = pid_of(lab, process)
    assert before
    name = re.compile(rf"kill.*{re.escape(process)}|{re.escape(process)}.*kill", re.IGNORECASE)
    dashboard.get_by_role("button", name=name).first.click()
    until(lambda: pid_of(lab, process) not in (None, before), f"{process} is there again")
    after = pid_of(lab, process)
    assert after
    return after


def scale_by_button(dashboard: Locator, lab: RunningLab, kind: str) -> None:
    """Make it two, and one again."""
    second = f"{kind}.2"
    dashboard.get_by_role("button", name=f"One more {kind}").click()
    expect(dashboard.locator(f'[data-process="{second}"]')).to_have_attribute("data-state", "running")
    assert pid_of(lab, second)
    dashboard.get_by_role("button", name=f"One {kind} less").click()
    until(lambda: second not in {one.name for one in lab.local.status().processes}, f"{second} is gone")


def choose_dark(page: Page) -> None:
    """By JupyterLab's menu, with the notebook open."""
    page.locator("#jp-MainMenu").get_by_text("Settings", exact=True).click()
    for item in ("Theme", "JupyterLab Dark"):
        page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")


def saved(page: Page, path: Path) -> list[str]:
    """Save the notebook, and give what each cell said."""
    before = path.stat().st_mtime_ns
    page.keyboard.press("Control+s")
    until(lambda: path.stat().st_mtime_ns != before and _is_whole(path), "the notebook is saved")
    ran = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return [told(cell) for cell in code_cells(ran)]


def _is_whole(path: Path) -> bool:
    """JupyterLab empties the file before it writes it."""
    try:
        return bool(json.loads(path.read_text()))
    except ValueError:
        return False


def play(video: Locator) -> None:
    """Play it, until its picture moves."""
    video.evaluate("video => { video.muted = true; return video.play(); }")
    until(lambda: float(video.evaluate("video => video.currentTime")) > 0.5, "the video plays")


@pytest.mark.timeout(400)
def test_a_newcomer_runs_it_kills_a_worker_and_plays_the_video(
    notebook: str, jupyter: Jupyter, page: Page, lab: RunningLab, screenshot: Callable[[str], Path | None]
) -> None:
    screenshot("start_here_opened")
    run_all(page)
    dashboard = seen(page, ".vidlab-dashboard")
    expect(dashboard.locator(f'[data-process="{IDLE}"]')).to_be_attached()
    expect(dashboard).to_contain_text(str(kill_by_button(dashboard, lab, IDLE)))
    screenshot("start_here_dashboard")
    assert dashboard.locator(".vl-process .vl-name").evaluate_all(CUT) == []
    scale_by_button(dashboard, lab, "worker-1080p")
    seen(page, ".vidlab-verdict")  # the last cell has run
    screenshot("start_here_verdict")
    texts = saved(page, jupyter.folder / notebook)
    assert sum(text.startswith("right") for text in texts) == len(code_cells(read(NAME), "solution"))
    assert [text for text in texts if "Traceback" in text] == []
    seen(page, ".vidlab-timeline")
    screenshot("start_here_timeline")
    play(seen(page, ".vidlab-player video"))
    screenshot("start_here_player")
    choose_dark(page)
    for widget in ("player", "timeline", "dashboard", "verdict"):
        expect(seen(page, f".vidlab-{widget}")).to_be_in_viewport()
        screenshot(f"start_here_{widget}_dark")
