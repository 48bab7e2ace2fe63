"""Each server is prepared in the lab's folder, listens to this machine only, and keeps its data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vidlab.errors import CommandFailed, PartMissing
from vidlab.lab.servers import SERVERS, azurite, clamd, kafka, server_command
from vidlab.lab.servers.command import SERVICES, write_configuration
from vidlab.settings import Settings

PORTS = {"kafka": 9101, "kafka-controller": 9102, "redis": 9103, "azurite": 9104, "clamd": 9105}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """All that the set-up would fetch seems to be there."""
    made = Settings(cache=tmp_path / "cache")
    for path in (clamd.cached(made) / clamd.PROGRAM, azurite.cached(made) / azurite.PROGRAM):
        path.parent.mkdir(parents=True)
        path.touch(mode=0o755)
    kafka.cached(made).mkdir()
    return made


@pytest.fixture
def formatted(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """How Kafka was formatted, instead of doing it."""
    commands: list[list[str]] = []
    monkeypatch.setattr(kafka, "run", lambda command, cwd: commands.append(list(command)))
    return commands


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "a lab"


@pytest.mark.usefixtures("formatted")
@pytest.mark.parametrize("name", list(SERVERS))
class TestEach:
    def test_it_listens_on_its_port_of_this_machine_only(self, name: str, state: Path, settings: Settings) -> None:
        command = server_command(name, state, PORTS, settings)
        said = " ".join(command.argv) + "".join(path.read_text() for path in command.cwd.glob("*.*") if path.is_file())
        assert str(PORTS[name]) in said
        assert "127.0.0.1" in said
        assert "0.0.0.0" not in said

    def test_all_that_it_writes_is_in_the_labs_folder(self, name: str, state: Path, settings: Settings) -> None:
        command = server_command(name, state, PORTS, settings)
        assert command.cwd == state / name
        assert command.cwd.stat().st_mode & 0o077 == 0, "only its owner can read it"

    def test_the_lab_may_be_named_from_here(
        self, name: str, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert server_command(name, Path("lab"), PORTS, settings).cwd == tmp_path / "lab" / name

    def test_the_cache_may_be_named_from_here(
        self, name: str, state: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A server runs in a folder of its own: a relative path would lead elsewhere from there."""
        whole = server_command(name, state, PORTS, settings)
        monkeypatch.chdir(settings.cache.parent)
        monkeypatch.setenv("VIDLAB_CACHE", settings.cache.name)
        assert server_command(name, state, PORTS, Settings()) == whole

    def test_preparing_it_again_keeps_its_data(self, name: str, state: Path, settings: Settings) -> None:
        first = server_command(name, state, PORTS, settings)
        (first.cwd / "data").mkdir()
        (first.cwd / "data" / "precious").touch()
        assert server_command(name, state, PORTS, settings) == first
        assert (first.cwd / "data" / "precious").exists()


def test_a_kafka_is_formatted_once(state: Path, settings: Settings, formatted: list[list[str]]) -> None:
    for _ in range(2):
        server_command("kafka", state, PORTS, settings)
    assert len(formatted) == 1
    cluster = formatted[0][formatted[0].index("--cluster-id") + 1]
    assert re.fullmatch(r"[\w-]{22}", cluster)
    assert cluster[0] != "-"


def test_a_kafka_whose_formatting_was_interrupted_is_formatted_again(
    state: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(command: list[str], cwd: Path) -> None:
        (cwd / "data").mkdir()
        raise CommandFailed(command="format", why="interrupted")

    monkeypatch.setattr(kafka, "run", interrupted)
    with pytest.raises(CommandFailed):
        server_command("kafka", state, PORTS, settings)
    commands: list[Path] = []
    monkeypatch.setattr(kafka, "run", lambda command, cwd: commands.append(cwd))
    server_command("kafka", state, PORTS, settings)
    assert len(commands) == 1
    assert not (state / "kafka" / "data").exists(), "what was half made is gone"


def test_a_killed_scanners_copies_are_swept(state: Path, settings: Settings) -> None:
    (state / "clamd" / "scratch" / "left").mkdir(parents=True)
    server_command("clamd", state, PORTS, settings)
    assert not list((state / "clamd" / "scratch").iterdir())


def test_the_scanner_knows_one_signature_and_its_libraries(state: Path, settings: Settings) -> None:
    library = clamd.cached(settings) / "usr" / "lib" / "machine" / "libclamav.so.12"
    library.parent.mkdir(parents=True)
    library.touch()
    command = server_command("clamd", state, PORTS, settings)
    assert [path.name for path in (state / "clamd" / "signatures").iterdir()] == ["eicar.ndb"]
    assert command.env == {"LD_LIBRARY_PATH": str(library.parent)}


def test_the_repository_holds_no_test_virus() -> None:
    """Its signature is there in another notation only, and so it is in this file."""
    signature = (SERVICES / "clamav" / "signatures" / "eicar.ndb").read_text()
    name, target, offset, pattern = signature.strip().split(":")
    assert (name, target, offset) == ("Eicar-Test-Signature", "0", "*")
    assert bytes.fromhex(pattern).endswith(b"TEST-FILE!$H+H*")
    assert "STANDARD-ANTIVIRUS" not in signature


@pytest.mark.parametrize("name", ["kafka", "azurite"])
def test_what_was_not_fetched_is_missing(name: str, state: Path, tmp_path: Path) -> None:
    with pytest.raises(PartMissing) as caught:
        server_command(name, state, PORTS, Settings(cache=tmp_path / "empty"))
    assert caught.value.advice == "make setup"


def test_npm_keeps_what_it_fetches_in_our_cache(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves the user's own, in the home folder, alone."""
    node, npm = tmp_path / "bin" / "node", tmp_path / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    for file in (node, npm):
        file.parent.mkdir(parents=True)
        file.touch()
    node.write_text('#!/bin/sh\necho "$@" > called\n')
    node.chmod(0o755)
    made = Settings(cache=tmp_path / "empty", node=str(node))
    azurite.install_azurite(made, lambda done, total: None)
    assert f"--cache {made.cache}/npm" in (azurite.cached(made) / "called").read_text()


def test_a_kafka_of_ones_own(state: Path, tmp_path: Path, formatted: list[list[str]]) -> None:
    jar = tmp_path / "kafka_2.13-4.1.0" / "libs" / "kafka_2.13-4.1.0.jar"
    jar.parent.mkdir(parents=True)
    jar.touch()
    settings = Settings(kafka_home=str(jar.parents[1]))
    command = server_command("kafka", state, PORTS, settings)
    assert f"{jar.parent}/*" in command.argv[command.argv.index("-cp") + 1]
    assert kafka.kafka_version(kafka.find_kafka(settings)) == "4.1.0"
    with pytest.raises(PartMissing, match="VIDLAB_KAFKA_HOME names"):
        kafka.find_kafka(Settings(kafka_home=str(tmp_path)))


def test_a_fact_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        write_configuration(SERVICES / "redis" / "redis.conf", tmp_path / "redis.conf")
