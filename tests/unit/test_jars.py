"""Kafka's jars are those of the lock, or the set-up says which is not."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
from jgo.maven import MavenContext

from vidlab.errors import PartMissing
from vidlab.lab.servers import jars
from vidlab.lab.servers.kafka import LOCK, cached
from vidlab.settings import Settings

RIGHT, HALF = b"a jar", b"a j"
JAR = {"groupId": "org", "artifactId": "thing", "version": "1", "sha256": hashlib.sha256(RIGHT).hexdigest()}


class FakeMaven:
    """A repository that gives these contents or errors, one after the other."""

    def __init__(self, folder: Path, *answers: bytes | Exception) -> None:
        self.folder = folder
        self.answers = list(answers)

    def project(self, *_: str) -> FakeMaven:
        return self

    at_version = artifact = project

    def resolve(self) -> Path:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        path = self.folder / "fetched"
        path.write_bytes(answer)
        return path


def fetch(folder: Path, *answers: bytes | Exception) -> FakeMaven:
    maven = FakeMaven(folder, *answers)
    jars._fetch(JAR, folder, cast(MavenContext, maven))
    return maven


@pytest.mark.parametrize("first", [HALF, ConnectionError("reset"), RuntimeError("404")])
def test_what_came_wrong_is_fetched_again(first: bytes | Exception, tmp_path: Path) -> None:
    fetch(tmp_path, first, RIGHT)
    assert (tmp_path / "thing-1.jar").read_bytes() == RIGHT


def test_what_is_there_is_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "thing-1.jar").write_bytes(RIGHT)
    assert fetch(tmp_path, RIGHT).answers == [RIGHT]


@pytest.mark.parametrize(("answer", "why"), [(HALF, "another SHA-256"), (ConnectionError("no route"), "no route")])
def test_what_stays_wrong_is_told(answer: bytes | Exception, why: str, tmp_path: Path) -> None:
    with pytest.raises(PartMissing, match=why):
        fetch(tmp_path, *[answer] * jars.TRIES)


def test_all_of_the_lock_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[Any] = tomllib.loads(LOCK.read_text())["dependencies"]
    fetched: list[Any] = []

    def pretend(jar: Any, libs: Path, maven: MavenContext) -> None:
        fetched.append(jar)
        maven.repo_cache.mkdir(exist_ok=True)

    monkeypatch.setattr(jars, "_fetch", pretend)
    told: list[tuple[int, int]] = []
    settings = Settings(cache=tmp_path)
    jars.install_kafka(settings, lambda done, total: told.append((done, total)))
    assert sorted(jar["artifactId"] for jar in fetched) == sorted(jar["artifactId"] for jar in wanted)
    assert told[-1] == (len(wanted), len(wanted))
    assert [path.name for path in cached(settings).iterdir()] == ["libs"]
