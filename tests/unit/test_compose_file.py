"""docker-compose.yml: fresh, complete, and without what a newcomer would stumble over."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from vidlab.lab.compose.rendered import TARGET, rendered
from vidlab.lab.spec import make_spec, module_of
from vidlab.profiles import PROFILES, Profile
from vidlab.settings import Settings

HOME = TARGET.parent
#: Of the Compose Specification, those that are used here.
WORDS = {
    *(
        "image",
        "build",
        "command",
        "entrypoint",
        "environment",
        "extra_hosts",
        "user",
        "ports",
        "volumes",
        "tmpfs",
        "profiles",
    ),
    *("depends_on", "healthcheck", "init", "restart", "read_only", "cap_drop", "security_opt", "shm_size"),
    *("stop_grace_period", "mem_limit", "cpus", "extra_hosts"),
}
CHECK_WORDS = {"test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
OURS = ("init", "api", "keeper", "consumer_", "worker_", "jupyter")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load(TARGET.read_text())["services"])


def test_the_file_is_what_make_compose_writes() -> None:
    assert TARGET.read_text() == rendered(), "docker-compose.yml is stale; type: make compose"


def test_a_line_in_the_table_of_profiles_brings_its_two_services() -> None:
    more = yaml.safe_load(rendered((*PROFILES, Profile(name="240p", height=240, max_kbps=400, audio_kbps=64))))
    assert set(more["services"]) - set(yaml.safe_load(TARGET.read_text())["services"]) == {
        "consumer_240p",
        "worker_240p",
    }


def test_each_process_of_the_local_lab_has_its_service(services: dict[str, Any]) -> None:
    names = {"clamav" if kind.name == "clamd" else kind.name.replace("-", "_") for kind in make_spec()}
    assert names <= set(services)


def test_a_service_runs_the_module_of_its_kind(services: dict[str, Any]) -> None:
    for kind in make_spec():
        if module := module_of(kind.command or ()):
            command = services[kind.name.replace("-", "_")]["command"]
            assert command[:3] == ["python", "-m", "services.container"]
            assert f"services.{command[3]}" == module
            assert importlib.util.find_spec(module) is not None
            assert "-".join(command[3:]) == kind.name


def test_each_setting_that_a_service_gets_is_one(services: dict[str, Any]) -> None:
    known = {f"VIDLAB_{name.upper()}" for name in Settings.model_fields}
    for name, service in services.items():
        if name.startswith(OURS):
            given = {variable for variable in service["environment"] if variable.startswith("VIDLAB_")}
            assert given <= known, name


def test_ports_are_unique_and_of_this_machine_alone(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", ())]
    defaults = [re.fullmatch(r"127\.0\.0\.1:\$\{([A-Z_]+):-(\d+)\}:\d+", port) for port in ports]
    assert all(defaults), ports
    assert len({match[2] for match in defaults if match}) == len(ports)
    example = dict(re.findall(r"^([A-Z_]+_PORT)=(\d+)$", (HOME / ".env.example").read_text(), re.MULTILINE))
    assert example == {match[1]: match[2] for match in defaults if match}


def test_every_service_is_bounded_and_comes_back(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["init"] is True, name
        assert service["restart"].startswith("on-failure" if name == "init" else "unless-stopped"), name
        assert service["mem_limit"], name
        assert service["cpus"], name
        assert service["cap_drop"] == ["ALL"], name


def test_what_runs_on_has_a_health_check(services: dict[str, Any]) -> None:
    unwatched = {name for name, service in services.items() if "test" not in service.get("healthcheck", {})}
    assert unwatched == {"init", "flower", "kafka-ui"}  # it exits; those of the profile `ui` are not ours


def test_files_that_are_mounted_are_there(services: dict[str, Any]) -> None:
    mounted = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())]
    missing = [path for path in mounted if path.startswith("./") and not (HOME / path).exists()]
    assert missing == []


def test_the_build_wants_no_digest_and_no_frontend() -> None:
    text = (HOME / "services" / "Dockerfile").read_text()
    assert "@sha256" not in text
    assert "syntax=" not in text


def test_docker_accepts_it_or_its_words_are_those_of_the_specification(services: dict[str, Any]) -> None:
    compose = ["docker", "compose"]
    if shutil.which("docker") and subprocess.run([*compose, "version"], capture_output=True).returncode == 0:
        command = [*compose, "--env-file", str(HOME / ".env.example"), "--file", str(TARGET), "config", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    for name, service in services.items():
        assert set(service) <= WORDS, name
        assert set(service.get("healthcheck", {})) <= CHECK_WORDS, name
        for other, condition in service.get("depends_on", {}).items():
            assert other in services, name
            assert condition["condition"] in CONDITIONS, name
            assert other == "init" or "test" in services[other]["healthcheck"], f"{name} waits for {other} for ever"
