"""Makes the README's picture of the dashboard (`make screenshot`): a lab of its own, two videos in work, Chromium."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import FLAGS
from tests.browser.pages import addresses, serving_pages
from tests.lab import RunningLab, running_lab
from tests.waiting import until
from vidlab import clips
from vidlab.lab.chromium import environment, find_chromium
from vidlab.settings import Settings

TARGET = Path(__file__).parents[2] / "data" / "dashboard.png"
WIDTH, HEIGHT = 1200, 900  # pixels
SHARE = 0.3  # of 480p of the second video that is done when the picture is taken


def main() -> None:
    """Take it, and say where it lies."""
    chromium = find_chromium(Settings())
    with (
        tempfile.TemporaryDirectory(prefix="vidlab-picture-") as folder,
        running_lab(Path(folder) / "lab", Path(folder) / "clips") as lab,
        serving_pages() as pages,
        sync_playwright() as playwright,
    ):
        program = {"executable_path": chromium.path, "env": {**os.environ, **environment(chromium)}}
        browser = playwright.chromium.launch(args=list(FLAGS), **program)  # type: ignore[arg-type]
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        pages.show(page, addresses(lab), "dashboard")
        _show_work(page, lab)
        page.locator(".vidlab-dashboard").screenshot(path=TARGET)
        browser.close()
    sys.stdout.write(f"{TARGET.relative_to(Path.cwd())}: {TARGET.stat().st_size // 1000} kB\n")


def _show_work(page: Page, lab: RunningLab) -> None:
    expect(page.locator(".vl-live")).to_have_text("live")
    clip = clips.make("landscape", lab.clips, lab.settings)
    sent = [lab.send(clip, title=title) for title in ("holiday in the clouds", "holiday, second day")]
    until(lambda: _share(lab, sent[-1]) > SHARE, "the second one is in work")
    page.wait_for_timeout(1500)  # its dots are where they belong


def _share(lab: RunningLab, video_hash: str) -> float:
    jobs = {job["name"]: job for job in lab.client.video(video_hash)["profiles"]}
    return float(jobs["480p"]["progress"])


if __name__ == "__main__":
    main()
