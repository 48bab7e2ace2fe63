"""One lab for all tests of a session that can share it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.postgres import free_port
from vidlab.client import Client
from vidlab.lab.choice import chosen_lab
from vidlab.lab.compose.lab import ComposeLab
from vidlab.lab.compose.project import LABEL, Project
from vidlab.lab.local import LocalLab
from vidlab.playback import Playback, check_playback, from_web
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.store import Store

HOME = Path(__file__).parents[1]

#: The ports of docker-compose.yml that are open on this machine.
COMPOSE_PORTS = tuple(
    f"{name}_PORT" for name in ("API", "WEB", "JUPYTER", "KAFKA", "REDIS", "POSTGRES", "AZURITE", "CLAMAV")
)

#: Of Docker, what carries a project's name.
OWN = (("ps", "--all"), ("volume", "ls"), ("network", "ls"))

ENDED = 120.0  # seconds in which a small video must have ended on a busy machine


class RunningLab:
    """A lab with its client and its database, and what tests ask of them."""

    def __init__(self, local: LocalLab, clips: Path) -> None:
        self.local = local
        self.clips = clips
        self.settings: Settings = local.settings()
        self.client = Client(self.settings.api_url, self.settings.api_token)
        self.store = Store(self.settings)
        self.storage = Storage(self.settings)

    def close(self) -> None:
        for opened in (self.client, self.store, self.storage):
            opened.close()

    def send(self, path: Path, **options: Any) -> str:
        """Upload and finalize, and give the video_hash."""
        return str(self.client.upload(path, again=True, **options)["video_hash"])

    def ended(self, video_hash: str, seconds: float = ENDED) -> dict[str, Any]:
        """The video, once it has ended."""
        return self.client.wait(video_hash, timeout=seconds)

    def played(self, video: dict[str, Any]) -> Playback:
        """Fetch and decode all that the master lists."""
        with httpx.Client(timeout=30, trust_env=False) as http:
            return check_playback(from_web(http), video["master_url"], self.settings)

    def kinds(self, video_hash: str, stage: str | None = None) -> list[str]:
        """The kinds of the video's events, in their order."""
        return [event.kind for event in self.store.events(video_hash) if stage in (None, event.stage)]


@contextmanager
def running_lab(state: Path, clips: Path, **env: str) -> Iterator[RunningLab]:
    """A lab that goes down afterwards, whatever happens; in containers when VIDLAB_LAB says so."""
    apart = own_project(env) if Settings().lab == "compose" else nullcontext()
    with apart, chosen_lab(state=state, with_parent=True, env=env) as local, closing(RunningLab(local, clips)) as lab:
        yield lab


@contextmanager
def own_project(env: Mapping[str, str]) -> Iterator[None]:
    """Names and ports for containers of the tests alone; nothing is left of them."""
    name = f"vidlab-test-{os.getpid()}"
    project = {
        "COMPOSE_DISABLE_ENV_FILE": "1",  # the user's .env may name a real account
        "COMPOSE_PROJECT_NAME": name,
        "POSTGRES_PASSWORD": "test",
        "JUPYTER_TOKEN": "test",
    }
    ports = {name: str(free_port()) for name in COMPOSE_PORTS}
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in {**project, **ports, **env}.items():
            patch.setenv(variable, value)
        for variable, image in images_here(ComposeLab().project).items():
            patch.setenv(variable, image)
        docker = ComposeLab().project
        try:
            yield
        finally:
            docker.compose("--profile", "*", "down", "--volumes", "--remove-orphans")
            label = f"label={LABEL}.project={name}"
            assert [docker.docker(*words, "--quiet", "--filter", label) for words in OWN] == ["", "", ""]


def images_here(project: Project) -> dict[str, str]:
    """Where the tag that the file names is not on this machine, but another one of that image is: that is tested."""
    here = project.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    named = re.findall(r"\$\{([A-Z_]+_IMAGE):-([\w./-]+):([\w.-]+)\}", project.file.read_text())
    others = {name: [one for one in here if one.rpartition(":")[0] == image] for name, image, _ in named}
    return {name: others[name][0] for name, image, tag in named if others[name] and f"{image}:{tag}" not in here}
