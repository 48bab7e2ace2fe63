"""The lab in containers: what Docker tells as the lab tells it, and the lab's words as Docker hears them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from vidlab.errors import CannotDo, CommandFailed, NoSupervisor, PartMissing
from vidlab.lab.compose.containers import Containers
from vidlab.lab.compose.inside import InsideLab
from vidlab.lab.compose.logs import Logs
from vidlab.lab.compose.project import Project, Seen, kind_of
from vidlab.lab.compose.rendered import rendered
from vidlab.lab.faults import FAULTS
from vidlab.lab.folder import Folder
from vidlab.lab.purposes import purpose
from vidlab.lab.verbs import act, scale

CONFIG = {
    "name": "test",
    "services": {
        "kafka": {"ports": [{"published": "29092", "target": 29092}]},
        "redis": {"ports": [{"published": "26379", "target": 6379}]},
        "postgres": {"ports": [{"published": "25432", "target": 5432}]},
        "azurite": {"ports": [{"published": "20000", "target": 10000}]},
        "clamav": {"ports": [{"published": "23310", "target": 3310}]},
        "init": {},
        "api": {"ports": [{"published": "8000", "target": 8000}]},
        "keeper": {
            "environment": {
                "VIDLAB_KAFKA": "kafka:9092",
                "VIDLAB_REDIS_URL": "redis://redis:6379/0",
                "VIDLAB_DATABASE_URL": "postgresql+psycopg://vidlab:secret@postgres:5432/vidlab",
                "VIDLAB_STORAGE": "AccountName=a;AccountKey=b;BlobEndpoint=http://azurite:10000/a;",
                "VIDLAB_CLAMD": "clamav:3310",
                "VIDLAB_API_URL": "http://127.0.0.1:8000",
                "VIDLAB_API_INSIDE": "http://api:8000",
                "VIDLAB_API_TOKEN": "",
            }
        },
        "consumer_720p": {},
        "worker_720p": {},
        "flower": {"profiles": ["ui"]},
    },
}


def seen(service: str, number: int = 1, **more: object) -> Seen:
    well = Seen(
        id=f"{service}-{number}",
        service=service,
        number=number,
        status="running",
        health="healthy",
        pid=1000 + number,
        exit_code=0,
        restarts=0,
        began=1.0,
    )
    return replace(well, **more)  # type: ignore[arg-type]


class Stub(Project):
    """Docker, as far as it is asked; keeps what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.config = CONFIG
        self.there: list[Seen] = []
        self.told: list[tuple[str, ...]] = []

    def containers(self) -> list[Seen]:
        return self.there

    def docker(self, *words: str, seconds: float = 0, given: str = "") -> str:
        self.told.append(words)
        return ""

    def begin(self, *words: str) -> None:
        self.told.append(words)


@pytest.fixture
def docker() -> Stub:
    return Stub()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "lab")
    made.make()
    return made


@pytest.fixture
def lab(docker: Stub, folder: Folder) -> Containers:
    docker.there = [seen("kafka"), seen("keeper"), seen("worker_720p")]
    made = Containers(docker, folder)
    made.see(docker.there)
    return made


def looked(lab: Containers, docker: Stub, *containers: Seen) -> list[tuple[str, str, str]]:
    """What is told when Docker now tells that."""
    last = max((event.id for event in lab.journal.after(0)), default=0)
    docker.there = list(containers)
    lab.see(docker.there)
    return [(event.kind, event.process, event.text) for event in lab.journal.after(last)]


# -- what Docker tells


def test_what_containers_are_told_holds_on_this_machine_by_other_addresses(docker: Stub, tmp_path: Path) -> None:
    settings = docker.settings(tmp_path)
    assert settings.kafka == "127.0.0.1:29092"
    assert settings.redis_url == "redis://127.0.0.1:26379/0"
    assert settings.database_url == "postgresql+psycopg://vidlab:secret@127.0.0.1:25432/vidlab"
    assert settings.blob_endpoint == "http://127.0.0.1:20000/a"
    assert settings.clamd == "127.0.0.1:23310"
    assert settings.api_here == "http://127.0.0.1:8000"
    assert settings.state == tmp_path


def test_a_service_is_called_as_in_the_local_lab(docker: Stub) -> None:
    assert list(docker.kinds)[:3] == ["kafka", "redis", "azurite"]
    assert {"clamd", "worker-720p", "postgres", "flower"} <= docker.kinds.keys()
    assert docker.service["worker-720p"] == "worker_720p"
    assert docker.service["clamd"] == "clamav"


def test_what_comes_only_when_it_is_asked_for_is_not_wanted(lab: Containers) -> None:
    assert "flower" not in lab.counts
    assert lab.counts["postgres"] == 1


@pytest.mark.parametrize(
    ("container", "state"),
    [
        (seen("worker_720p"), "running"),
        (seen("worker_720p", health="starting"), "starting"),
        (seen("worker_720p", status="paused"), "paused"),
        (seen("worker_720p", status="restarting", pid=None), "waiting"),
        (seen("worker_720p", status="exited", pid=None, exit_code=137), "waiting"),
        (seen("init", status="exited", pid=None, health=""), "done"),
        (seen("init", status="exited", pid=None, health="", exit_code=1), "waiting"),
        (seen("init", health=""), "starting"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.service}-{value.status}",
)
def test_a_state_has_the_word_of_the_local_lab(docker: Stub, folder: Folder, container: Seen, state: str) -> None:
    lab = Containers(docker, folder)
    lab.see([container])
    name = {"worker_720p": "worker-720p.1", "init": "init"}[container.service]
    assert lab.processes[name].status().state == state


def test_a_container_that_began_anew_is_told(lab: Containers, docker: Stub) -> None:
    others = (seen("kafka"), seen("keeper"))
    again = seen("worker_720p", began=2.0, restarts=1, health="starting")
    assert looked(lab, docker, *others, seen("worker_720p", status="restarting", exit_code=3)) == [
        ("exited", "worker-720p.1", "exited with code 3")
    ]
    assert looked(lab, docker, *others, again) == [("started", "worker-720p.1", "")]
    assert looked(lab, docker, *others, replace(again, health="healthy")) == [("ready", "worker-720p.1", "healthy")]
    assert looked(lab, docker, *others, replace(again, health="healthy")) == []


def test_one_that_began_anew_between_two_looks_ended_all_the_same(lab: Containers, docker: Stub) -> None:
    told = looked(lab, docker, seen("kafka"), seen("keeper"), seen("worker_720p", began=2.0, restarts=1))
    assert [kind for kind, *_ in told] == ["exited", "started", "ready"]


# -- the lab's words


def test_what_is_killed_is_killed_inside_so_that_docker_starts_it_again(lab: Containers, docker: Stub) -> None:
    assert act(lab, "kill", "worker_720p") == ["worker-720p.1"]
    assert docker.told == [("exec", "worker_720p-1", "sh", "-c", "kill -9 -1")]
    told = lab.processes["worker-720p.1"].status()
    assert (told.state, told.pid) == ("waiting", None)  # its end is certain, though Docker was not asked yet

    told_then = looked(lab, docker, seen("kafka"), seen("keeper"), seen("worker_720p", began=2.0, pid=7))
    assert ("exited", "worker-720p.1", "killed by you") in told_then
    assert lab.processes["worker-720p.1"].status().pid == 7


def test_a_paused_one_is_killed_too(lab: Containers, docker: Stub) -> None:
    looked(lab, docker, seen("kafka"), seen("keeper"), seen("worker_720p", status="paused"))
    act(lab, "kill", "worker-720p")
    assert [words[0] for words in docker.told] == ["kill", "start"]  # it must not go on in between


def test_a_kill_that_did_nothing_is_told(lab: Containers, docker: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_shell(*words: str, **_: object) -> str:
        raise CommandFailed(command=" ".join(words), why="no such file: sh")

    monkeypatch.setattr(docker, "docker", no_shell)
    monkeypatch.setattr("vidlab.lab.compose.container.NOTICED", 0.2)
    with pytest.raises(CannotDo, match="no such file: sh"):
        act(lab, "kill", "worker-720p")
    assert lab.processes["worker-720p.1"].status().state == "running"


def test_what_a_fault_keeps_down_is_killed_as_docker_s_user_would(lab: Containers, docker: Stub) -> None:
    lab.held.add("kafka")
    act(lab, "kill", "kafka")
    assert docker.told == [("kill", "kafka-1")]
    assert lab.processes["kafka"].status().note == "is kept down by a fault"
    lab.held.clear()
    lab.processes["kafka"].try_now()
    assert docker.told[-1] == ("start", "kafka-1")


def test_pause_and_resume_are_those_of_docker_and_hold_before_it_is_asked_again(lab: Containers, docker: Stub) -> None:
    act(lab, "pause", "worker-720p")
    with pytest.raises(CannotDo, match="is not running, or paused"):
        act(lab, "pause", "worker-720p")
    act(lab, "resume", "worker-720p")
    assert docker.told == [("pause", "worker_720p-1"), ("unpause", "worker_720p-1")]


def test_more_are_wanted_at_once_and_those_that_are_too_many_are_said_to_go(lab: Containers, docker: Stub) -> None:
    assert scale(lab, "worker-720p", 3) == 1
    assert [one.name for one in lab.in_order()][-4:] == ["worker-720p.1", "worker-720p.2", "worker-720p.3", "postgres"]
    assert lab.processes["worker-720p.3"].status().note == "is not made yet"

    workers = [seen("worker_720p", number) for number in (1, 2, 3)]
    looked(lab, docker, seen("kafka"), seen("keeper"), *workers)
    assert scale(lab, "worker-720p", 1) == 3
    assert [one.status().stopping for one in lab.in_order() if one.kind.name == "worker-720p"] == [False, True, True]
    told = looked(lab, docker, seen("kafka"), seen("keeper"), workers[0])
    assert told == [("stopped", "worker-720p.2", ""), ("stopped", "worker-720p.3", "")]


def test_a_number_that_docker_left_out_is_not_waited_for(lab: Containers, docker: Stub) -> None:
    lab.counts["worker-720p"] = 2
    looked(lab, docker, seen("kafka"), seen("keeper"), seen("worker_720p", 2), seen("worker_720p", 3))
    assert [one.name for one in lab.in_order() if one.kind.name == "worker-720p"] == ["worker-720p.2", "worker-720p.3"]


@pytest.mark.parametrize("name", ["clock-off", "slow-link", "cut-link", "reset-link"])
def test_a_fault_that_a_container_cannot_have_says_so(lab: Containers, name: str) -> None:
    with pytest.raises(CannotDo, match="local lab has this fault"):
        lab.check_fault(name)


def test_all_other_faults_can_be_had(lab: Containers) -> None:
    for name in FAULTS.keys() - {"clock-off", "slow-link", "cut-link", "reset-link"}:
        lab.check_fault(name)


def test_the_disk_is_full_for_all_containers(lab: Containers, docker: Stub) -> None:
    lab.fill_disk(True)
    lab.fill_disk(False)
    mark = "/state/run/disk-full"
    assert docker.told == [("exec", "keeper-1", "touch", mark), ("exec", "keeper-1", "rm", "-f", mark)]


def test_a_single_process_in_a_container_is_not_killed(lab: Containers) -> None:
    with pytest.raises(CannotDo, match="by the name of their container"):
        lab.kill_pid(1001)


# -- logs


def test_each_container_s_lines_go_to_its_own_log(docker: Stub, folder: Folder) -> None:
    logs = Logs(docker, folder)
    for line in (b"\x1b[2Kworker_720p-2  | one | two\n", b"clamav-1 | three\n", b"nobody-1 | four\n", b"five\n"):
        logs._write(line)
    texts = {path.stem: path.read_text() for path in folder.logs.glob("*.log")}
    assert texts == {"worker-720p.2": "one | two\n", "clamd": "three\n"}


# -- from elsewhere


def test_without_docker_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PartMissing, match="docker is missing"):
        Project().compose("version")


def test_in_a_container_without_a_supervisor_the_lab_is_up_and_takes_no_orders(tmp_path: Path) -> None:
    lab = InsideLab(tmp_path).up()
    assert lab.status().state == "up"
    with pytest.raises(NoSupervisor) as raised:
        lab.kill("worker-720p")
    assert "vidlab --lab compose status" in raised.value.advice
    with pytest.raises(NoSupervisor):
        lab.down()


def test_each_service_of_the_file_has_a_purpose() -> None:
    services = yaml.safe_load(rendered())["services"]
    assert [service for service in services if not purpose(kind_of(service))] == []
