"""The widgets in JupyterLab: they go on while a cell blocks the kernel, and end with their cell and their kernel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.jupyter import Jupyter, menu
from tests.browser.test_player import TIME, fact, play, rungs
from tests.lab import RunningLab
from vidlab import clips

Screenshot = Callable[[str], Path | None]
#: A cell that blocks the kernel until the file is there.
BLOCKED = "import time, pathlib\nwhile not pathlib.Path({path!r}).exists(): time.sleep(0.1)"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_file_is_sent_while_a_cell_blocks_the_kernel(
    page: Page, lab: RunningLab, jupyter: Jupyter, theme: str, tmp_path: Path, screenshot: Screenshot
) -> None:
    go_on = tmp_path / "go on"
    cells = ["from vidlab.widgets import Upload; upload = Upload(); upload", BLOCKED.format(path=str(go_on))]
    jupyter.run(page, cells, theme=theme)
    expect(page.locator(".vidlab-upload")).to_be_visible()
    # The status bar is no witness: what widgets say to the kernel may be answered beside the cell that runs.
    prompt = page.locator(".jp-Cell .jp-InputPrompt").nth(1)
    expect(prompt).to_have_text("[*]:")
    path = clips.make("tiny", lab.clips, lab.settings)
    copy = tmp_path / f"tiny-{theme}.mp4"
    copy.write_bytes(path.read_bytes())
    page.locator(".vidlab-upload input[type=file]").set_input_files(copy)
    expect(page.locator(".vl-upload")).to_contain_text("sent, and handed to the pipeline")
    expect(prompt).to_have_text("[*]:")
    screenshot(f"jupyter-upload-{theme}")
    go_on.touch()
    expect(prompt).to_have_text("[2]:")
    assert lab.client.videos(limit=1)[0]["title"] == f"tiny-{theme}"


def test_what_was_sent_is_told_to_the_kernel_and_played(
    page: Page, lab: RunningLab, jupyter: Jupyter, screenshot: Screenshot
) -> None:
    lab.ended(lab.send(clips.make("tiny", lab.clips, lab.settings)))
    jupyter.run(page, ["from vidlab.widgets import Player; Player()"], theme="dark")
    expect(page.locator(".vidlab-player .vl-status")).to_contain_text("ready")
    page.evaluate(
        "(async () => { const v = document.querySelector('.vidlab-player video'); v.muted = true; v.play(); })()"
    )
    page.wait_for_function("document.querySelector('.vidlab-player video').currentTime > 0.5")
    screenshot("jupyter-player-dark")


def test_the_levels_are_the_masters_and_a_forced_one_shows(
    page: Page, lab: RunningLab, jupyter: Jupyter, screenshot: Screenshot
) -> None:
    video = lab.ended(lab.send(clips.make("landscape", lab.clips, lab.settings)))
    jupyter.run(page, [f"from vidlab.widgets import Player; Player(video={video['video_hash']!r})"])
    levels = page.locator(".vidlab-player").get_by_label("Level")
    expect(levels.locator("option")).to_have_count(1 + len(rungs(video)))
    offered = levels.locator("option").all_text_contents()
    assert sorted(words.split(",")[0] for words in offered[1:]) == rungs(video)
    levels.select_option(label=next(words for words in offered if words.startswith("144p")))
    play(page)
    page.wait_for_function(f"document.querySelector('video').videoHeight === 144 && {TIME} > 0.2")
    expect(fact(page, "Level")).to_have_text("144p, forced")
    screenshot("jupyter-player-light")


def test_a_restarted_kernel_ends_its_widgets(page: Page, jupyter: Jupyter) -> None:
    jupyter.run(page, ["from vidlab.widgets import Upload; Upload()"])
    expect(page.locator(".vidlab-upload")).to_be_visible()
    menu(page, "Kernel", "Restart Kernel…")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(page.get_by_text("run its cell again")).to_be_visible()


def test_a_cleared_cell_ends_its_widget(page: Page, lab: RunningLab, jupyter: Jupyter) -> None:
    lab.ended(lab.send(clips.make("tiny", lab.clips, lab.settings)))
    jupyter.run(page, ["from vidlab.widgets import Player; Player()"])
    expect(page.locator(".vidlab-player .vl-status")).to_contain_text("ready")
    page.evaluate("window.video = document.querySelector('.vidlab-player video')")
    page.evaluate("(() => { video.muted = true; video.play(); })()")
    page.wait_for_function("video.currentTime > 0.2")
    menu(page, "Edit", "Clear Outputs of All Cells")
    expect(page.locator(".vidlab-player")).to_have_count(0)
    page.wait_for_function("video.paused && video.readyState === 0")
