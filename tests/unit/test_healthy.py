"""The health check of a container: 200 and nothing else is well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI, Response

from tests.postgres import free_port
from tests.serving import serving
from vidlab.lab.servers.command import SERVICES

SCRIPT = SERVICES / "healthy.py"


def code(url: str, folder: Path) -> int:
    """As Docker starts it: alone, so that it cannot import what it should not."""
    return subprocess.run([sys.executable, "-I", SCRIPT, url], cwd=folder, check=False).returncode


@pytest.mark.parametrize(("status", "expected"), [(200, 0), (503, 1), (404, 1)])
def test_the_answer_says_how_it_is(status: int, expected: int, tmp_path: Path) -> None:
    app = FastAPI()
    app.get("/health/live")(lambda: Response(status_code=status))
    with serving(app) as url:
        assert code(f"{url}/health/live", tmp_path) == expected


def test_who_does_not_answer_is_not_well(tmp_path: Path) -> None:
    assert code(f"http://127.0.0.1:{free_port()}/", tmp_path) == 1


def test_it_imports_nothing_that_takes_time(tmp_path: Path) -> None:
    seen = (
        f"import sys, runpy; runpy.run_path({str(SCRIPT)!r}); print('pydantic' in sys.modules, 'vidlab' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", seen], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]
