"""`vidlab lab` opens JupyterLab on a notebook, and ends it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.lab import HOME
from tests.waiting import until

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+\S+")


class Opened:
    """The command, and what it printed."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.log = folder / "printed.log"
        own = {name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
        environment = {**os.environ, **own, "COLUMNS": "300"}
        command = [sys.executable, "-m", "vidlab.cli", "lab", "--no-browser", *words]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=HOME, env=environment, stdout=output, stderr=subprocess.STDOUT, process_group=0
            )

    @property
    def printed(self) -> str:
        return self.log.read_text()

    @property
    def address(self) -> str:
        """Where it is open, waited for."""
        until(lambda: ADDRESS.search(self.printed) or self.process.poll() is not None, "JupyterLab is there")
        found = ADDRESS.search(self.printed)
        assert found, self.printed
        return found[0]

    @property
    def below(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    one = Opened(tmp_path)
    yield one
    if one.process.poll() is None:
        one.process.kill()
    one.process.wait()


def test_it_opens_on_the_first_notebook_for_who_knows_the_token(opened: Opened) -> None:
    assert "00_start_here.ipynb" in opened.address
    assert httpx.get(opened.address, trust_env=False).status_code == 200
    api = opened.address.split("/lab/")[0] + "/api/contents"
    assert httpx.get(api, trust_env=False).status_code == 403, "not for who does not know it"
    token = opened.address.partition("token=")[2]
    names = {one["name"] for one in httpx.get(api, params={"token": token}, trust_env=False).json()["content"]}
    assert "00_start_here.ipynb" in names
    assert token not in str([one.cmdline() for one in opened.below]), "everyone can read a process's words"


def test_it_asks_for_no_news(opened: Opened) -> None:
    base, _, token = opened.address.partition("/lab/")[0], "", opened.address.partition("token=")[2]
    plugin = "@jupyterlab/apputils-extension:notification"
    told = httpx.get(f"{base}/lab/api/settings/{plugin}", params={"token": token}, trust_env=False, timeout=30).json()
    assert told["schema"]["properties"]["fetchNews"]["default"] == "false"
    assert told["schema"]["properties"]["checkForUpdates"]["default"] is False


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_a_sentence_and_leaves_nothing(opened: Opened, ending: signal.Signals) -> None:
    assert opened.address
    below = opened.below
    assert below
    opened.process.send_signal(ending)
    assert opened.process.wait(30) == 0
    assert "JupyterLab is closed. The lab is as it was" in opened.printed
    _, alive = psutil.wait_procs(below, 10)
    assert alive == []


def test_killed_it_takes_jupyterlab_along(opened: Opened) -> None:
    assert opened.address
    below = opened.below
    opened.process.kill()
    _, alive = psutil.wait_procs(below, 10)
    assert alive == []


def test_a_notebook_that_there_is_not_is_told(tmp_path: Path) -> None:
    one = Opened(tmp_path, "no/such.ipynb")
    assert one.process.wait(30) == 1
    assert "There is no notebook no/such.ipynb." in one.printed
    assert "Traceback" not in one.printed
