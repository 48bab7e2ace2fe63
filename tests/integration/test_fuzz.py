"""The API fuzzed from its own document: it never fails, answers as the document says, and wants its token.

Schemathesis makes up requests that fit the document and requests that do not, and follows what answers lead to: it
uploads, finalizes, tries again and deletes what it made.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.forks import uncounted
from tests.integration.test_play import completed_video
from tests.postgres import free_port
from tests.serving import api_process
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.store import Store

KNOWN = Path(__file__).parents[1] / "schemathesis.toml"
TOKEN = "fuzzing"
SEED = 7

Fuzz = Callable[..., None]


@pytest.fixture
def fuzz(blob_settings: Settings, store: Store, tmp_path: Path) -> Iterator[Fuzz]:
    """Fuzzes an API process that has a token and a completed video.

    Fails with a curl command for each request that was answered wrongly.
    """
    address = f"http://127.0.0.1:{free_port()}"
    settings = blob_settings.model_copy(update={"api_url": address, "api_token": SecretStr(TOKEN)})
    storage = Storage(settings)
    storage.ensure_container()
    env = uncounted() | {"NO_PROXY": "*", "COMPLETED": completed_video(store, storage)}

    def run(*options: str) -> None:
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(KNOWN)]
        request = ["run", f"{address}/openapi.json", "--header", f"Authorization: Bearer {TOKEN}", "--no-color"]
        done = subprocess.run([*command, *request, *options], capture_output=True, text=True, env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr

    with api_process(settings):
        yield run
    storage.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # it refuses more texts than SQLite
def test_the_api_keeps_what_its_document_promises(fuzz: Fuzz) -> None:
    fuzz("--max-examples", "30", "--seed", str(SEED))


@pytest.mark.slow
def test_it_keeps_it_whatever_is_sent(fuzz: Fuzz) -> None:
    fuzz("--max-time", "180")
