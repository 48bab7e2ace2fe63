"""docker-compose.yml: fresh, complete, and without what a newcomer would stumble over."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vidlab.lab.compose.rendered import TARGET, rendered
from vidlab.lab.spec import make_spec, module_of
from vidlab.profiles import PROFILES, Profile
from vidlab.settings import Settings

HOME = TARGET.parent
SIZE = Annotated[str, Field(pattern=r"^(\d+[kmg]|\$\{[A-Z_]+:-\d+[kmg]\})$")]
DURATION = Annotated[str, Field(pattern=r"^\d+(ms|s|m)$")]
Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]


class Strict(BaseModel):
    """Of the Compose Specification what is used here: another word, or another kind of value, is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Build(Strict):
    context: str
    dockerfile: str
    target: str


class Check(Strict):
    test: list[str] = []
    interval: DURATION = "1s"
    timeout: DURATION = "1s"
    retries: int = 1
    start_period: DURATION = "1s"
    start_interval: DURATION = "1s"
    disable: bool = False


class Awaited(Strict):
    condition: Condition


class Service(Strict):
    image: str
    pull_policy: Literal["", "never"] = ""
    build: Build | None = None
    command: list[str] = []
    entrypoint: list[str] = []
    environment: dict[str, str] = {}
    extra_hosts: list[str] = []
    user: str = ""
    ports: list[str] = []
    volumes: list[str] = []
    tmpfs: list[str] = []
    profiles: list[str] = []
    depends_on: dict[str, Awaited] = {}
    healthcheck: Check
    init: bool
    restart: str
    read_only: bool = False
    cap_drop: list[str]
    security_opt: list[str]
    shm_size: SIZE = "1m"
    stop_grace_period: DURATION = "10s"
    mem_limit: SIZE
    cpus: int | float


class File(Strict):
    name: str
    services: dict[str, Service]
    volumes: dict[str, None]


OURS = ("init", "api", "keeper", "consumer_", "worker_", "jupyter")


def read() -> dict[str, Any]:
    """The file without its templates, which stand in the services by now."""
    return {name: part for name, part in yaml.safe_load(TARGET.read_text()).items() if not name.startswith("x-")}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(read()["services"])


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
    assert unwatched == {"init"}  # it exits


def test_each_image_has_a_version_that_does_not_move_to_another_one(services: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in services.items() if not name.startswith(OURS)}
    tags = {name: re.fullmatch(r"\$\{[A-Z_]+_IMAGE:-[\w./-]+:([\w.-]+)\}", image) for name, image in images.items()}
    assert [name for name, match in tags.items() if not match or not re.match(r"v?\d", match[1])] == []


def test_nobody_runs_as_root_or_writes_beside_the_volumes(services: dict[str, Any]) -> None:
    # These images have a user of their own already, and ours has one by its Dockerfile.
    named = {"kafka", "flower", "kafka-ui"}
    assert "USER vidlab" in (HOME / "services" / "Dockerfile").read_text()
    as_root = [name for name, one in services.items() if not name.startswith(OURS) and not one.get("user")]
    assert set(as_root) == named
    # Kafka's start writes its settings beside its programs; what kafka-ui writes was not seen yet.
    assert {name for name, one in services.items() if not one.get("read_only")} == {"kafka", "kafka-ui"}
    assert all(one["security_opt"] == ["no-new-privileges:true"] for one in services.values())


def test_the_supervisor_s_secret_is_not_where_videos_are_read(services: dict[str, Any]) -> None:
    told = {name for name, one in services.items() if "people:/state" in one.get("volumes", ())}
    assert told == {"api", "jupyter"}


def test_files_that_are_mounted_are_there(services: dict[str, Any]) -> None:
    mounted = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())]
    missing = [path for path in mounted if path.startswith("./") and not (HOME / path).exists()]
    assert missing == []


def test_the_build_wants_no_digest_and_no_frontend() -> None:
    text = (HOME / "services" / "Dockerfile").read_text()
    assert "@sha256" not in text
    assert "syntax=" not in text


def test_each_image_of_ours_is_built_once_and_looked_for_nowhere_else(services: dict[str, Any]) -> None:
    ours = {name: one for name, one in services.items() if name.startswith(OURS)}
    built = {name: one["image"] for name, one in ours.items() if "build" in one}
    assert set(built) == {"init", "jupyter"}  # each build of an image leaves the one before it without a name
    assert set(built.values()) == {one["image"] for one in ours.values()}
    assert {name for name, one in services.items() if one.get("pull_policy") == "never"} == set(ours)


def test_it_is_of_the_specification(services: dict[str, Any]) -> None:
    file = File.model_validate(read())
    mounted = {volume.split(":")[0] for one in file.services.values() for volume in one.volumes}
    assert {one for one in mounted if not one.startswith("./")} == set(file.volumes)
    for name, service in file.services.items():
        for other, awaited in service.depends_on.items():
            assert other in services, name
            watched = other == "init" or file.services[other].healthcheck.test
            assert watched, f"{name} waits for {other} for ever"
            assert (awaited.condition == "service_completed_successfully") == (other == "init"), name


@pytest.mark.parametrize(
    ("name", "value"),
    [("mem_limit", 512), ("restart", True), ("command", "redis-server"), ("health_check", {}), ("ports", [3000])],
)
def test_a_word_that_docker_would_refuse_is_noticed(name: str, value: object) -> None:
    file = read()
    file["services"]["redis"][name] = value
    with pytest.raises(ValidationError):
        File.model_validate(file)


def test_docker_accepts_it_where_it_is() -> None:
    compose = ["docker", "compose"]
    if shutil.which("docker") and subprocess.run([*compose, "version"], capture_output=True).returncode == 0:
        command = [*compose, "--env-file", str(HOME / ".env.example"), "--file", str(TARGET), "config", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_what_jupyter_and_the_health_checks_run_is_there(services: dict[str, Any]) -> None:
    assert services["jupyter"]["command"] == ["python", "-m", "services.container", "jupyter"]
    assert 'case ("jupyter",):' in (HOME / "services" / "container.py").read_text()
    for name, port in (("api", 8000), ("jupyter", 8888)):
        program, script, url = services[name]["healthcheck"]["test"][1:]
        assert program == "python"
        assert (HOME / script).exists()
        assert f":{port}/" in url
        assert services[name]["ports"][0].endswith(f":{port}")
    assert importlib.util.find_spec("jupyterlab") is not None
