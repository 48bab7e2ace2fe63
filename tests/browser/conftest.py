"""What the tests in the browser share: Chromium, a page for each test, a page with a widget, JupyterLab."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.jupyter import Jupyter, running_jupyter
from tests.browser.pages import PATIENCE, Pages, addresses, serving_pages
from tests.browser.played import Played
from tests.lab import RunningLab
from vidlab.errors import PartMissing
from vidlab.lab.chromium import environment, find_chromium
from vidlab.settings import Settings

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
SIZE = {"width": 1100, "height": 800}


class Show(Protocol):
    """Opens a page with a widget on it: show(page, lab, "upload", theme="dark", video_hash="...")."""

    def __call__(self, page: Page, lab: RunningLab, name: str, **traits: Any) -> None: ...


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium without a window. It ends with the package: while it is there, asyncio cannot be used beside it."""
    try:
        found = find_chromium(Settings())
    except PartMissing as error:
        pytest.skip(f"{error} To do: {error.advice}")
    # Where it may look for a sound server: else it makes itself a folder that stays.
    sound = {"PULSE_RUNTIME_PATH": str(tmp_path_factory.mktemp("pulse"))}
    with sync_playwright() as playwright:
        program = playwright.chromium.launch(
            executable_path=found.path, args=list(FLAGS), env={**os.environ, **environment(found), **sound}
        )
        expect.set_options(timeout=PATIENCE)
        yield program
        program.close()


def tell(message: ConsoleMessage) -> None:
    """What the page says is printed, for who reads a failure."""
    sys.stdout.write(f"{message.type}: {message.text}\n")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a fresh context. What fails in it, and nobody catches, fails the test."""
    context = browser.new_context(viewport={"width": SIZE["width"], "height": SIZE["height"]})
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", tell)
    yield opened
    context.close()
    assert errors == []


@pytest.fixture(scope="package")
def pages() -> Iterator[Pages]:
    """The server of the pages with widgets."""
    with serving_pages() as server:
        yield server


@pytest.fixture
def show(pages: Pages) -> Show:
    """Opens a page with a widget of the lab on it."""

    def shown(page: Page, lab: RunningLab, name: str, **traits: Any) -> None:
        pages.show(page, addresses(lab), name, **traits)

    return shown


@pytest.fixture
def played(page: Page, pages: Pages) -> Played:
    """A lab that the test plays itself."""
    return Played(page, pages)


@pytest.fixture(scope="package")
def jupyter(lab: RunningLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """JupyterLab, whose kernels attach to the tests' lab."""
    with running_jupyter(tmp_path_factory.mktemp("jupyter"), lab.settings.state) as server:
        yield server


@pytest.fixture
def screenshot(page: Page, request: pytest.FixtureRequest) -> Callable[[str], Path | None]:
    """Keeps a picture of the page where VIDLAB_SCREENSHOTS names a folder, to be looked at."""
    folder = os.environ.get("VIDLAB_SCREENSHOTS")

    def take(name: str) -> Path | None:
        if not folder:
            return None
        path = Path(folder) / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return take
