"""Fetches Kafka's jars: exactly those of the lock, by jgo's client of Maven's repository, several at once."""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.maven import MavenContext

from vidlab.errors import PartMissing
from vidlab.lab import cache
from vidlab.lab.cache import Report
from vidlab.lab.servers.command import make_folder
from vidlab.lab.servers.kafka import LOCK, cached
from vidlab.settings import Settings

AT_ONCE = 8  # downloads
TRIES = 3  # of each jar


def install_kafka(settings: Settings, report: Report) -> None:
    """Fetch the locked jars into the user's cache. Raises PartMissing."""
    cache.fill(cached(settings), lambda draft: _fetch_all(draft, report))


def _fetch_all(draft: Path, report: Report) -> None:
    jars = tomllib.loads(LOCK.read_text())["dependencies"]
    libs = make_folder(draft / "libs")
    maven = MavenContext(repo_cache=draft / "maven", local_repos=[])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, _ in enumerate(pool.map(lambda jar: _fetch(jar, libs, maven), jars), start=1):
            report(done, len(jars))
    shutil.rmtree(draft / "maven")


def _fetch(jar: Mapping[str, str], libs: Path, maven: MavenContext) -> None:
    target = libs / f"{jar['artifactId']}-{jar['version']}.jar"
    problem = ""
    for _ in range(TRIES):
        if target.exists() and hashlib.sha256(target.read_bytes()).hexdigest() == jar["sha256"]:
            return
        problem = _download(jar, target, maven)
    why = problem or "what was fetched has another SHA-256 than the lock says"
    raise PartMissing(part=target.name, why=why, command="make setup")


def _download(jar: Mapping[str, str], target: Path, maven: MavenContext) -> str:
    """Put a jar in its place, or tell what went wrong."""
    component = maven.project(jar["groupId"], jar["artifactId"]).at_version(jar["version"])
    try:
        component.artifact("", "jar").resolve().replace(target)
    except (OSError, RuntimeError) as error:  # of requests, and of jgo
        return str(error)
    return ""
