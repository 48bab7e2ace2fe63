"""The set-up of the servers brings what is missing, all of it, and tells what it could not."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

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


def test_without_debians_tools_the_command_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "is_debian", lambda: False)
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if name == "brew" else None)
    with pytest.raises(PartMissing) as caught:
        clamd.install_clamd(settings, lambda done, total: None)
    assert caught.value.advice == "brew install clamav"


def test_without_network_the_command_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise CommandFailed(command="apt-get update", why="no network")

    monkeypatch.setattr(debian, "is_debian", lambda: True)
    monkeypatch.setattr(debian, "unpack", fail)
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if name == "apt-get" else None)
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
