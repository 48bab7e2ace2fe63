"""The doctor says of each part what it is, and of what is wrong what to type."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from vidlab.lab import doctor
from vidlab.lab.doctor import Health, as_json, diagnose, is_well, table
from vidlab.lab.folder import Folder, LabFile
from vidlab.lab.identity import MARK
from vidlab.lab.servers import azurite
from vidlab.settings import Settings

PARTS = [
    "python",
    "uv",
    "kafka",
    "java",
    "redis",
    "azurite",
    "node",
    "clamd",
    "ffmpeg",
    "ffmpeg_more",
    "ffprobe",
    "disk",
]


def make_program(path: Path, *lines: str) -> str:
    """A program that says these lines."""
    path.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Nothing is in its cache, and its programs are quick."""
    return Settings(
        state=tmp_path / "state",
        cache=tmp_path / "cache",
        java=make_program(tmp_path / "java", 'openjdk version "25.0.2" 2026-01-20'),
        node=make_program(tmp_path / "node", "v20.1.0"),
        redis_server=make_program(tmp_path / "redis-server", "Redis server v=6.2.14 sha=00000000:0 malloc=jemalloc"),
        ffmpeg=make_program(tmp_path / "ffmpeg", "ffmpeg version n8.1.2-static Copyright (c)"),
        ffprobe=make_program(tmp_path / "ffprobe", "ffprobe version N-123-gabcdef Copyright (c)"),
        clamd_program=make_program(tmp_path / "clamd", "ClamAV 1.4.6/27000/Sun Nov 22 08:00:00 2026"),
    )


def test_each_part_is_told(settings: Settings) -> None:
    parts = {part.name: part for part in diagnose(settings)}
    assert list(parts) == PARTS
    assert (parts["java"].version, parts["java"].source) == ("25.0.2", "VIDLAB_JAVA")
    assert parts["redis"].version == "6.2.14"
    assert parts["clamd"].version == "1.4.6"
    assert parts["ffmpeg"].version == "8.1.2-static"
    assert parts["ffprobe"].health is Health.OK


def test_what_is_missing_says_what_to_type(settings: Settings) -> None:
    kafka = next(part for part in diagnose(settings) if part.name == "kafka")
    assert (kafka.health, kafka.advice, kafka.running) == (Health.MISSING, "make setup", False)


def test_what_is_too_old_says_so(settings: Settings) -> None:
    node = next(part for part in diagnose(settings) if part.name == "node")
    assert (node.health, node.version) == (Health.TOO_OLD, "20.1.0")
    assert "22 is the oldest that will do" in node.problem
    assert node.advice


def test_what_does_not_run_is_missing(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "java").write_text("#!/bin/sh\necho no such library\nexit 1\n")
    java = next(part for part in diagnose(settings) if part.name == "java")
    assert java.health is Health.MISSING
    assert "no such library" in java.problem


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("ffmpeg", "/no/ffmpeg"),  # is not there
        ("ffmpeg", "/bin/false"),  # does not run
        ("ffmpeg", "/bin/true"),  # is something else
        ("redis_server", "old-redis"),  # is too old
        ("azurite_home", "/no/azurite"),
        ("kafka_home", "/no/kafka"),
        ("clamd_program", "/bin/false"),
    ],
)
def test_a_setting_that_is_at_fault_is_named(settings: Settings, tmp_path: Path, setting: str, value: str) -> None:
    make_program(tmp_path / "old-redis", "Redis server v=5.0.1 sha=00000000:0")
    path = str(tmp_path / value)
    parts = diagnose(settings.model_copy(update={setting: path}))
    part = next(part for part in parts if part.name == setting.split("_")[0])
    assert part.health is not Health.OK
    assert part.advice == f"Correct VIDLAB_{setting.upper()}, or unset it: VidLab then looks for itself."


def test_a_uv_that_leads_nowhere_is_no_harm(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = tmp_path / "path" / "uv"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}:/usr/bin:/bin")
    uv = next(part for part in diagnose(settings) if part.name == "uv")
    assert (uv.health, uv.source) == (Health.OK, "make setup brings it")
    cached = settings.cache / "uv-0123" / "bin" / "uv"
    cached.parent.mkdir(parents=True)
    make_program(cached, "uv 0.9.1 (built)")
    uv = next(part for part in diagnose(settings) if part.name == "uv")
    assert (uv.version, uv.source, uv.path) == ("0.9.1", "cache", str(cached))


@pytest.mark.parametrize("name", ["java", "node", "redis-server", "ffmpeg", "ffprobe", "clamd"])
def test_what_tells_no_version_is_missing(settings: Settings, tmp_path: Path, name: str) -> None:
    make_program(tmp_path / name)
    part = next(part for part in diagnose(settings) if part.name == name.removesuffix("-server"))
    assert part.health is Health.MISSING
    assert "does not tell its version" in part.problem


def test_an_azurite_without_its_package_file_is_missing(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "home" / azurite.PROGRAM).parent.mkdir(parents=True)
    (tmp_path / "home" / azurite.PROGRAM).touch()
    parts = diagnose(settings.model_copy(update={"azurite_home": str(tmp_path / "home")}))
    part = next(part for part in parts if part.name == "azurite")
    assert (part.health, part.source) == (Health.MISSING, "VIDLAB_AZURITE_HOME")


def test_a_running_lab_is_seen_by_its_ports(settings: Settings) -> None:
    folder = Folder(settings.state)
    folder.make()
    supervisor = subprocess.Popen(["sleep", "600"], env={**os.environ, MARK: folder.lab_id})
    with supervisor, socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ports = {"redis": server.getsockname()[1], "clamd": unused.getsockname()[1]}
        folder.write_lab(
            LabFile(pid=supervisor.pid, lab_id=folder.lab_id, control_url="", ports=ports, endpoints={}, settings={})
        )
        running = {part.name: part.running for part in diagnose(settings)}
        supervisor.kill()
    assert (running["redis"], running["clamd"], running["kafka"], running["ffmpeg"]) == (True, False, False, None)


def test_a_full_disk_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "FREE_BYTES", 2**60)
    disk = diagnose(settings)[-1]
    assert disk.health is Health.LOW
    assert "VIDLAB_STATE" in disk.advice


def test_the_table_shows_it_all(settings: Settings) -> None:
    parts = diagnose(settings)
    output = io.StringIO()
    Console(file=output, width=300, markup=False).print(table(parts))
    for part in parts:
        assert part.name in output.getvalue()
        assert part.advice in output.getvalue()
    assert not is_well(parts)


def test_the_parts_are_plain_data(settings: Settings) -> None:
    kafka = json.loads(json.dumps(as_json(diagnose(settings))))[2]
    assert (kafka["name"], kafka["health"], kafka["running"]) == ("kafka", "missing", False)
