"""The set-up of the servers brings what is missing, all of it, and tells what it could not."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from vidlab import programs
from vidlab.errors import CommandFailed, PartMissing
from vidlab.lab import debian, install
from vidlab.lab.cache import Report
from vidlab.lab.needs import Install, Need
from vidlab.lab.servers import clamd
from vidlab.programs import Found
from vidlab.settings import Settings


@dataclass
class Thing:
    """Something that the set-up can bring, or not."""

    path: Path
    #: When given, bringing it fails with that reason.
    problem: str = ""
    version: str = "2.0"
    fetched: list[str] = field(default_factory=list)

    def need(self) -> Need:
        return Need(
            name=self.path.name,
            locate=self.locate,
            version=lambda found: self.version,
            minimum=(2, 0),
            advice="brew",
            install=Install(lambda settings: self.path, self.bring, "jars"),
        )

    def locate(self, settings: Settings) -> Found:
        if not self.path.exists():
            raise PartMissing(part=self.path.name, why="not there", command="make setup")
        return Found(self.path, "cache")

    def bring(self, settings: Settings, report: Report) -> None:
        self.fetched.append(self.path.name)
        if self.problem:
            raise PartMissing(part=self.path.name, why=self.problem, command="sudo get it")
        report(3, 3)
        self.path.mkdir(parents=True)
        self.version = "2.0"


def set_up(settings: Settings, monkeypatch: pytest.MonkeyPatch, *things: Thing, force: bool = False) -> str:
    output = io.StringIO()
    monkeypatch.setattr(install, "NEEDS", tuple(thing.need() for thing in things))
    monkeypatch.setattr("sys.prefix", str(settings.state))
    settings.state.mkdir(exist_ok=True)
    try:
        install.setup(settings, Console(file=output, width=200), force=force)
    except PartMissing as error:
        output.write(error.advice)
    return output.getvalue()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path / "state", cache=tmp_path / "cache")


def test_what_is_missing_is_fetched_and_what_is_there_is_not(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing, there = Thing(tmp_path / "kafka"), Thing(tmp_path / "clamd")
    there.path.mkdir()
    told = set_up(settings, monkeypatch, missing, there)
    assert (missing.fetched, there.fetched) == (["kafka"], [])
    assert "kafka 2.0         3 jars\n" in told
    assert f"clamd 2.0         found at {there.path}\n" in told
    stamp = json.loads((settings.state / install.STAMP).read_text())
    assert stamp["paths"] == [str(missing.path), str(there.path)]
    assert stamp["choices"]["VIDLAB_CACHE"] == str(settings.cache)


def test_what_is_too_old_is_fetched(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Thing(tmp_path / "deeper" / "clamd", version="0.9")
    monkeypatch.setattr(old, "locate", lambda settings: Found(old.path, "system"))
    set_up(settings, monkeypatch, old)
    assert old.fetched == ["clamd"]


def test_one_that_fails_keeps_no_other_back(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = Thing(tmp_path / "clamd", problem="no network"), Thing(tmp_path / "kafka")
    told = set_up(settings, monkeypatch, bad, good)
    assert good.path.exists()
    assert "sudo get it" in told
    assert not (settings.state / install.STAMP).exists()


def test_force_fetches_again(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    thing = Thing(tmp_path / "kafka")
    set_up(settings, monkeypatch, thing)
    set_up(settings, monkeypatch, thing, force=True)
    assert thing.fetched == ["kafka", "kafka"]


# -- clamd, which no wheel carries


ROOT, SOMEBODY = 0, 1000


@pytest.fixture(autouse=True)
def nothing_found_before() -> Iterator[None]:
    """Which programs are there is kept: a test changes that."""
    programs._find.cache_clear()
    yield
    programs._find.cache_clear()


def machine(monkeypatch: pytest.MonkeyPatch, folder: Path, user: int, *managers: str, ends: str = "exit 0") -> Path:
    """A system with these package managers alone: each writes down how it was called, and brings a clamd."""
    folder.mkdir()
    clamd_there = f"echo '#!/bin/sh\necho ClamAV 1.4.6/1' > {folder}/clamd; /bin/chmod +x {folder}/clamd"
    for name in managers:
        (folder / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {folder}/calls\n{clamd_there}\n{ends}\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("os.geteuid", lambda: user)
    return folder / "calls"


@pytest.mark.parametrize(
    ("user", "manager", "call"),
    [
        (SOMEBODY, "brew", "brew install clamav"),
        (ROOT, "dnf", "dnf install --assumeyes clamd"),
        (ROOT, "pacman", "pacman -S --noconfirm clamav"),
        (ROOT, "zypper", "zypper install --no-confirm clamav"),
        (ROOT, "apk", "apk add clamav-daemon"),
    ],
)
def test_where_it_may_be_installed_it_is(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, user: int, manager: str, call: str
) -> None:
    calls = machine(monkeypatch, tmp_path / "bin", user, manager)
    steps: list[tuple[int, int]] = []
    clamd.install_clamd(settings, lambda done, total: steps.append((done, total)))
    assert calls.read_text() == f"{call}\n"
    assert clamd.find_clamd(settings).path == tmp_path / "bin" / "clamd"
    assert steps[-1] == (2, 2)


def test_where_it_may_not_be_installed_the_command_is_told(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = machine(monkeypatch, tmp_path / "bin", SOMEBODY, "dnf")
    with pytest.raises(PartMissing) as caught:
        clamd.install_clamd(settings, lambda done, total: None)
    assert caught.value.advice == "sudo dnf install clamd"
    assert not calls.exists()


def test_when_it_cannot_be_installed_the_command_is_told(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch, tmp_path / "bin", SOMEBODY, "brew", ends="echo no network; exit 1")
    with pytest.raises(PartMissing, match="no network") as caught:
        clamd.install_clamd(settings, lambda done, total: None)
    assert caught.value.advice == "brew install clamav"


def test_without_network_the_command_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise CommandFailed(command="apt-get update", why="no network")

    monkeypatch.setattr(debian, "is_debian", lambda: True)
    monkeypatch.setattr(debian, "unpack", fail)
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if name == "apt-get" else None)
    monkeypatch.setattr("os.geteuid", lambda: SOMEBODY)
    with pytest.raises(PartMissing, match="no network") as caught:
        clamd.install_clamd(settings, lambda done, total: None)
    assert caught.value.advice == "sudo apt-get install clamav-daemon"
    assert not clamd.cached(settings).exists()


def test_apt_says_which_libraries_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = "Inst logrotate (3.21)\nInst libmspack0 (0.11)\nInst libclamav12 (1.4)\nInst clamav-daemon (1.4)\nConf x\n"
    monkeypatch.setattr(debian, "run", lambda command: plan)
    assert debian._missing_libraries(["apt-get"], "clamav-daemon") == ["libmspack0", "libclamav12"]


def test_a_clamd_that_apparmor_confines_will_not_do(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    on, profile, program = tmp_path / "enabled", tmp_path / "profile", tmp_path / "clamd"
    on.write_text("Y\n")
    profile.touch()
    program.touch(mode=0o755)
    monkeypatch.setattr(clamd, "APPARMOR", on)
    monkeypatch.setattr(clamd, "APPARMOR_PROFILE", profile)
    monkeypatch.setattr(clamd, "CONFINED", program)
    monkeypatch.setattr(clamd, "find", lambda name, settings: Found(program, "system"))
    with pytest.raises(PartMissing, match="AppArmor"):
        clamd.find_clamd(settings)
    on.write_text("N\n")
    assert clamd.find_clamd(settings).path == program
