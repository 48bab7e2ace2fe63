"""The set-up does what is not done, once, and begins again what was interrupted."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

from services import bootstrap, environment
from services.environment import Step, is_done, note, read_notes, set_up
from vidlab.lab import install
from vidlab.settings import Settings

ROOT = Path(__file__).parents[2]


# -- the first file


def test_an_old_python_can_read_it() -> None:
    ast.parse((ROOT / "services" / "bootstrap.py").read_text(), feature_version=(3, 6))


def test_an_old_one_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST", (99, 1))
    monkeypatch.setattr(bootstrap, "NAMES", ("no-such-python",))
    assert bootstrap.main() == 1
    told = capsys.readouterr().err
    assert "Python 99.1 or newer is needed" in told
    assert "make setup PYTHON=" in told


def test_a_shim_that_fails_is_no_python(tmp_path: Path) -> None:
    shim = tmp_path / "python3.12"
    shim.write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    assert not bootstrap.fits(str(shim))
    assert not bootstrap.fits(str(tmp_path / "nothing"))


# -- the steps


class Fake:
    """A folder with two locks, and steps that write down that they ran."""

    def __init__(self, root: Path) -> None:
        self.ran: list[str] = []
        self.lock, self.servers = root / "lock.txt", root / "servers.lock"
        self.parts = root / ".venv" / "vidlab-parts"
        for file in (self.lock, self.servers):
            file.write_text("one")
        self.steps = (
            Step("packages", (self.lock,), lambda: self.ran.append("packages")),
            Step("servers", (self.servers,), self.bring, environment.has_parts, inside=False),
        )

    def make(self) -> None:
        self.ran.append("environment")
        environment.NOTES.unlink(missing_ok=True)
        environment.PYTHON.parent.mkdir(parents=True, exist_ok=True)
        environment.PYTHON.touch()

    def bring(self) -> None:
        self.ran.append("servers")
        self.parts.write_text(json.dumps({"choices": environment.choices(), "paths": [str(self.servers)]}))

    def run(self, *, force: bool = False) -> list[str]:
        self.ran.clear()
        if force or not all(map(is_done, self.steps)):
            set_up(self.steps, force=force)
        return self.ran


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake(tmp_path)
    venv = tmp_path / ".venv"
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(environment, "NOTES", venv / "vidlab-setup.json")
    monkeypatch.setattr(environment, "PARTS", made.parts)
    monkeypatch.setattr(environment, "make_environment", made.make)
    return made


def test_a_second_run_does_nothing(fake: Fake) -> None:
    assert fake.run() == ["environment", "packages", "servers"]
    assert fake.run() == []


def test_a_changed_lock_brings_what_changed(fake: Fake) -> None:
    fake.run()
    fake.lock.write_text("two")
    assert fake.run() == ["packages"]


def test_force_does_it_all_again(fake: Fake) -> None:
    fake.run()
    assert fake.run(force=True) == ["environment", "packages", "servers"]


def test_a_part_that_is_gone_is_brought_again(fake: Fake) -> None:
    fake.run()
    fake.parts.write_text(fake.parts.read_text().replace(str(fake.servers), "/nowhere/at/all"))
    assert fake.run() == ["servers"]
    fake.parts.write_text("/of/an/older/vidlab\n")
    assert fake.run() == ["servers"]


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "VIDLAB_CACHE", "VIDLAB_KAFKA_HOME", "VIDLAB_CLAMD_PROGRAM"])
def test_another_place_for_the_servers_has_them_brought_there(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("VIDLAB_CACHE", raising=False)
    fake.run()
    monkeypatch.setenv(variable, "/another/place")
    assert fake.run() == ["servers"]
    assert fake.run() == []
    monkeypatch.delenv(variable)
    assert fake.run() == ["servers"]


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "VIDLAB_CACHE", *environment.OVERRIDES])
@pytest.mark.parametrize("value", ["/a/place", "a/place", ""])
def test_both_halves_of_the_setup_read_the_same_settings(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert environment.choices() == install.choices(Settings())


def test_a_folder_that_was_moved_gets_a_new_environment(fake: Fake) -> None:
    fake.run()
    note(root="/where/it/was")
    assert fake.run()[0] == "environment"


def test_packages_that_were_interrupted_begin_again(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a package looks whole to the installer."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    whole = fake.steps
    fake.steps = (Step("packages", (fake.lock,), interrupted), *whole[1:])
    with pytest.raises(KeyboardInterrupt):
        fake.run()
    fake.steps = whole
    assert fake.run() == ["environment", "packages", "servers"]


def test_servers_that_were_interrupted_leave_the_environment(fake: Fake) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    whole = fake.steps
    fake.steps = (whole[0], Step("servers", (fake.servers,), interrupted, inside=False))
    with pytest.raises(KeyboardInterrupt):
        fake.run()
    fake.steps = whole
    assert fake.run() == ["servers"]


def test_notes_that_cannot_be_read_are_none(fake: Fake) -> None:
    fake.run()
    environment.NOTES.write_text("{half")
    assert read_notes() == {}


def test_a_command_that_fails_is_shown_with_its_last_words() -> None:
    with pytest.raises(environment.SetupError, match=r"exit 3.*\n    no network"):
        environment.run(["sh", "-c", "echo no network; exit 3"])


# -- the Makefile


def test_make_help_explains_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    told = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    targets = set(phony[1].split()) - {"setup-dev"}
    assert {target for target in targets if f"make {target} " not in told} == set()
