"""The lab in containers: what Docker tells as the lab tells it, and the lab's words as Docker hears them."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from tests.unit.asgi import Http
from tests.waiting import until
from vidlab.errors import CannotDo, CommandFailed, LabFailed, NoSupervisor, PartMissing
from vidlab.lab.compose.containers import Containers
from vidlab.lab.compose.inside import InsideLab
from vidlab.lab.compose.lab import ComposeLab
from vidlab.lab.compose.logs import Logs
from vidlab.lab.compose.project import Project, Seen, kind_of
from vidlab.lab.compose.rendered import rendered
from vidlab.lab.compose.supervisor import INSIDE
from vidlab.lab.control import LOOPBACK, Control
from vidlab.lab.faults import FAULTS
from vidlab.lab.folder import Folder
from vidlab.lab.outages import Outages
from vidlab.lab.purposes import purpose
from vidlab.lab.scratch import Scratch
from vidlab.lab.verbs import act, scale
from vidlab.settings import Settings

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
        self.slowly: Callable[[], list[Seen]] | None = None
        self.takes = 0.0  # seconds for each command
        self.checks: list[float] = []  # seconds until the next health check, as asked one after the other

    def containers(self) -> list[Seen]:
        return self.slowly() if self.slowly else self.there

    def container(self, number: str) -> Seen | None:
        return next((one for one in self.containers() if one.id == number), None)

    def until_check(self, number: str, resumed: float = 0.0) -> float:
        return self.checks.pop(0) if self.checks else math.inf

    def docker(self, *words: str, seconds: float = 0, given: str = "") -> str:
        self.told.append(words)
        time.sleep(self.takes)
        if words[0] in self.BECOMES:
            self.there = [self._as_told(one, words) for one in self.there]
        return ""

    #: What a container is after Docker was told so.
    BECOMES: ClassVar = {"pause": "paused", "unpause": "running", "kill": "exited", "start": "running"}

    def _as_told(self, one: Seen, words: tuple[str, ...]) -> Seen:
        return replace(one, status=self.BECOMES[words[0]]) if one.id in words else one

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


def do(lab: Containers, verb: str, name: str) -> list[str]:
    """Say it, and wait until it is done."""
    return asyncio.run(act(lab, verb, name))


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
    assert do(lab, "kill", "worker_720p") == ["worker-720p.1"]
    assert docker.told == [("exec", "worker_720p-1", "sh", "-c", "kill -9 -1")]
    told = lab.processes["worker-720p.1"].status()
    assert (told.state, told.pid) == ("waiting", None)  # its end is certain, though Docker was not asked yet

    told_then = looked(lab, docker, seen("kafka"), seen("keeper"), seen("worker_720p", began=2.0, pid=7))
    assert ("exited", "worker-720p.1", "killed by you") in told_then
    assert lab.processes["worker-720p.1"].status().pid == 7


def test_a_paused_one_is_killed_too(lab: Containers, docker: Stub) -> None:
    looked(lab, docker, seen("kafka"), seen("keeper"), seen("worker_720p", status="paused"))
    do(lab, "kill", "worker-720p")
    assert [words[0] for words in docker.told] == ["kill", "start"]  # it must not go on in between


def test_a_pause_waits_while_a_health_check_may_begin(
    lab: Containers, docker: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.checks = [0.3, -0.1, -0.2, 4.9, 4.8]
    do(lab, "pause", "worker-720p")
    assert docker.told == [("pause", "worker_720p-1")]
    assert docker.checks == [4.8]

    do(lab, "resume", "worker-720p")
    monkeypatch.setattr("vidlab.lab.compose.container.PATIENCE", 0.3)
    docker.checks = [-1.0] * 50
    do(lab, "pause", "worker-720p")  # one that does not end is not waited for for ever
    assert docker.told[-1] == ("pause", "worker_720p-1")


@pytest.mark.parametrize(("busy", "tries"), [(2, 3), (3, 3)])
def test_a_container_that_cannot_be_frozen_just_then_is_tried_again(
    lab: Containers, docker: Stub, monkeypatch: pytest.MonkeyPatch, busy: int, tries: int
) -> None:
    tried: list[str] = []

    def freeze(*words: str, **_: object) -> str:
        tried.append(words[0])
        if len(tried) <= busy:
            raise CommandFailed(command="docker pause", why="OCI runtime pause failed: unable to freeze: unknown")
        return ""

    monkeypatch.setattr(docker, "docker", freeze)
    with pytest.raises(CommandFailed) if busy == tries else nullcontext():
        do(lab, "pause", "worker-720p")
    assert tried == ["pause"] * tries
    assert lab.processes["worker-720p.1"].paused == (busy < tries)


HEALTH = {"Interval": 5_000_000_000, "StartInterval": 1_000_000_000}


@pytest.mark.parametrize(
    ("status", "ends", "resumed", "expected"),
    [
        ("healthy", [], 0.0, 105.0),
        ("starting", [], 0.0, 101.0),
        ("healthy", [103.5, 108.5], 0.0, 113.5),
        ("starting", [103.5], 0.0, 104.5),
        ("healthy", [103.5], 120.25, 125.25),
        ("", [], 0.0, math.inf),
    ],
)
def test_the_next_health_check_is_known(
    monkeypatch: pytest.MonkeyPatch, status: str, ends: list[float], resumed: float, expected: float
) -> None:
    def told(seconds: float) -> str:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    health = {"Health": {"Status": status, "Log": [{"End": told(end)} for end in ends]}} if status else {}
    record = {"State": {"StartedAt": told(100.0), **health}, "Config": {"Healthcheck": HEALTH}}
    project = Project()
    monkeypatch.setattr(project, "docker", lambda *_: json.dumps([record]))
    monkeypatch.setattr(time, "time", lambda: 90.0)
    assert project.until_check("worker_720p-1", resumed) == pytest.approx(expected - 90.0)


def test_a_kill_that_did_nothing_is_told(lab: Containers, docker: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_shell(*words: str, **_: object) -> str:
        raise CommandFailed(command=" ".join(words), why="no such file: sh")

    monkeypatch.setattr(docker, "docker", no_shell)
    monkeypatch.setattr("vidlab.lab.compose.container.NOTICED", 0.2)
    with pytest.raises(CannotDo, match="no such file: sh"):
        do(lab, "kill", "worker-720p")
    assert lab.processes["worker-720p.1"].status().state == "running"


def test_what_a_fault_keeps_down_is_killed_as_docker_s_user_would(lab: Containers, docker: Stub) -> None:
    lab.held.add("kafka")
    do(lab, "kill", "kafka")
    assert docker.told == [("kill", "kafka-1")]
    assert lab.processes["kafka"].status().note == "is kept down by a fault"
    lab.held.clear()
    lab.processes["kafka"].try_now()
    assert docker.told[-1] == ("start", "kafka-1")


def test_pause_and_resume_are_those_of_docker_and_hold_before_it_is_asked_again(lab: Containers, docker: Stub) -> None:
    do(lab, "pause", "worker-720p")
    with pytest.raises(CannotDo, match="is not running, or paused"):
        do(lab, "pause", "worker-720p")
    do(lab, "resume", "worker-720p")
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
        asyncio.run(lab.kill_pid(1001))


# -- looks and orders, one at a time


def test_an_answer_from_before_an_order_does_not_undo_it(lab: Containers, docker: Stub) -> None:
    """A look that began before a pause must not say that nothing is paused."""

    def slow() -> list[Seen]:
        before, docker.slowly = list(docker.there), None
        time.sleep(0.3)
        return before

    async def pause_in_the_midst() -> None:
        looking = asyncio.create_task(lab._look())
        await asyncio.sleep(0.05)  # it has asked Docker
        await act(lab, "pause", "worker-720p")
        await looking

    docker.slowly = slow
    asyncio.run(pause_in_the_midst())
    assert lab.processes["worker-720p.1"].paused


def test_who_was_paused_by_docker_alone_is_resumed_and_killed_as_such(lab: Containers, docker: Stub) -> None:
    docker.there = [seen("kafka"), seen("keeper"), seen("worker_720p", status="paused")]  # not looked at since
    do(lab, "resume", "worker-720p")
    docker.there = [seen("kafka"), seen("keeper"), seen("worker_720p", status="paused")]
    do(lab, "kill", "worker-720p")
    assert [words[0] for words in docker.told] == ["unpause", "kill", "start"]


def test_who_asks_is_answered_while_an_order_takes_its_time(lab: Containers, docker: Stub) -> None:
    async def both() -> float:
        docker.takes = 0.3
        killing = asyncio.create_task(act(lab, "kill", "worker-720p"))
        began = time.monotonic()
        await asyncio.sleep(0.01)
        waited = time.monotonic() - began
        await killing
        return waited

    assert asyncio.run(both()) < 0.2


# -- who scales by Docker alone


def look(lab: Containers, docker: Stub, *containers: Seen) -> None:
    docker.there = list(containers)
    asyncio.run(lab._look())


def attached(lab: Containers, docker: Stub, *containers: Seen) -> None:
    docker.there = list(containers)
    asyncio.run(lab.take_over(attach=True))


@pytest.mark.parametrize("number", [1, 3])
def test_who_scales_by_docker_alone_is_followed(lab: Containers, docker: Stub, number: int) -> None:
    attached(lab, docker, *(seen("worker_720p", one) for one in (1, 2)))
    workers = [seen("worker_720p", one + 1) for one in range(number)]
    look(lab, docker, *workers)
    assert lab.counts["worker-720p"] == 2  # it may be on its way
    look(lab, docker, *workers)
    assert lab.counts["worker-720p"] == number
    assert ("scaled", "worker-720p") in [(event.kind, event.process) for event in lab.journal.after(0)]
    assert not any(one.status().stopping for one in lab.in_order() if one.kind.name == "worker-720p")


def test_a_lab_that_somebody_takes_down_is_not_wanted_empty(lab: Containers, docker: Stub) -> None:
    attached(lab, docker, seen("worker_720p"))
    for _ in range(3):
        look(lab, docker)
    assert lab.counts["worker-720p"] == 1


def test_none_of_a_kind_is_none_for_who_attaches(lab: Containers, docker: Stub) -> None:
    attached(lab, docker, seen("kafka"), seen("consumer_720p"))
    assert (lab.counts["worker-720p"], lab.counts["consumer-720p"]) == (0, 1)


def test_a_scaling_that_failed_may_be_asked_for_again(lab: Containers, docker: Stub) -> None:
    asked: list[list[str]] = []

    async def refuse(words: list[str]) -> None:
        asked.append(words)
        raise LabFailed(why="no room")

    docker.run = refuse  # type: ignore[method-assign,assignment]
    attached(lab, docker, seen("worker_720p"))

    async def scaled() -> None:
        scale(lab, "worker-720p", 2)
        await lab._look()
        assert lab.scaling._task is not None
        await lab.scaling._task
        assert lab.counts["worker-720p"] == 1

    asyncio.run(scaled())
    asyncio.run(scaled())
    assert len(asked) == 2
    assert [event.text for event in lab.journal.after(0) if event.kind == "failed"] == ["no room"] * 2


# -- the disk


def test_the_disk_has_room_again_as_soon_as_somebody_can_be_told(lab: Containers, docker: Stub) -> None:
    lab.fill_disk(True)
    docker.there = [seen("worker_720p", status="paused")]
    lab.see(docker.there)
    lab.fill_disk(False)
    assert [words[2] for words in docker.told] == ["touch"]
    look(lab, docker, seen("worker_720p"))
    assert docker.told[-1] == ("exec", "worker_720p-1", "rm", "-f", "/state/run/disk-full")
    told = len(docker.told)
    look(lab, docker, seen("worker_720p"))
    assert len(docker.told) == told


def test_what_an_earlier_lab_left_of_a_full_disk_is_removed(lab: Containers, docker: Stub) -> None:
    look(lab, docker, seen("keeper"))
    assert docker.told == [("exec", "keeper-1", "rm", "-f", "/state/run/disk-full")]


def test_faults_end_before_the_containers_go(lab: Containers, docker: Stub) -> None:
    order: list[str] = []

    async def outages_end() -> None:
        order.append("faults over")

    def compose(*words: str, **_: object) -> str:
        order.append(words[2])
        return ""

    docker.compose = compose  # type: ignore[method-assign]
    lab.on_end = outages_end
    lab.close()
    asyncio.run(lab.run(attach=True))
    assert order == ["faults over", "down"]


# -- what Docker's versions say


@pytest.mark.parametrize("words", ["Error: No such object: 123", "error: no such object: 123"])
def test_one_that_goes_between_two_questions_is_not_there(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    answers: list[str | CommandFailed] = ["123", CommandFailed(command="docker inspect", why=words), ""]

    def answered(*_: object, **__: object) -> str:
        answer = answers.pop(0)
        if isinstance(answer, CommandFailed):
            raise answer
        return answer

    project = Project()
    project.config = CONFIG
    monkeypatch.setattr(project, "docker", answered)
    assert project.containers() == []

    answers.append(CommandFailed(command="docker inspect", why=words))
    assert project.container("123") is None


@pytest.mark.parametrize("words", ["bind: address already in use", "port is already allocated"])
def test_a_port_that_another_lab_has_is_told_with_what_to_do(words: str) -> None:
    with pytest.raises(LabFailed, match=r"another one in \.env"):
        asyncio.run(Project().run(["sh", "-c", f"echo 'Error: {words}' >&2; exit 1"]))


def test_what_docker_warns_of_is_no_part_of_its_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "docker"
    program.write_text('#!/bin/sh\necho "the X variable is not set" >&2\necho \'{"name": "test", "services": {}}\'\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert Project().config == {"name": "test", "services": {}}


def test_a_restart_that_docker_could_not_do_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\necho 'no such container' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    project = Project()
    project.begin("restart", "123")
    until(lambda: [one for one in project.failures() if "no such container" in one] != [], "it is told")
    assert project.failures() == []


# -- up, and who was there before


def test_down_ends_with_an_error_when_docker_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = tmp_path / "docker"
    hanging.write_text("#!/bin/sh\nexec sleep 60\n")
    hanging.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr("vidlab.lab.compose.lab.GONE", 0.3)
    lab = ComposeLab(tmp_path / "lab")
    monkeypatch.setattr(lab, "_has_containers", lambda: True)
    for word in (lab.down, lab.reset):
        with pytest.raises(CommandFailed, match="timed out"):
            word()


@pytest.mark.parametrize("there", [True, False])
def test_containers_that_were_there_outlive_an_up_that_failed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    lab = ComposeLab(folder.root)
    monkeypatch.setattr(lab, "_has_containers", lambda: there)

    def fail(*words: str, **_: object) -> None:
        assert "down" not in words
        raise LabFailed(why="no room")

    monkeypatch.setattr(lab.project, "compose", fail)

    monkeypatch.setattr(lab, "_begin", fail)
    with pytest.raises(LabFailed) as raised:
        lab.up()
    note = raised.value.__notes__[0]
    assert ("there still" in note) == there


def test_what_lies_in_the_workers_folder_is_told_by_the_keeper(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = ComposeLab(folder.root)
    left = {"name": "worker-144p.1", "files": ["worker-144p.1/left.ts"], "bytes": 4, "identity": [7, 8]}
    monkeypatch.setattr(lab.project, "compose", lambda *words, **_: json.dumps([left]))
    assert lab.scratch() == [Scratch(name="worker-144p.1", files=("worker-144p.1/left.ts",), bytes=4, identity=(7, 8))]


# -- logs


def test_each_container_s_lines_go_to_its_own_log(docker: Stub, folder: Folder) -> None:
    logs = Logs(docker, folder)
    for line in (b"\x1b[2Kworker_720p-2  | one | two\n", b"clamav-1 | three\n", b"nobody-1 | four\n", b"five\n"):
        logs._write(line)
    texts = {path.stem: path.read_text() for path in folder.logs.glob("*.log")}
    assert texts == {"worker-720p.2": "one | two\n", "clamd": "three\n"}


# -- from elsewhere


def test_a_container_gives_orders_by_the_host_s_name_but_takes_nothing_down(lab: Containers) -> None:
    control = Control(lab, Outages(lab, Settings(), {}), dict, (*LOOPBACK, INSIDE))
    secret = {"X-VidLab-Secret": lab.folder.secret}
    inside = Http(control.app(), base_url=f"http://{INSIDE}:9000")  # type: ignore[arg-type]
    assert inside.post("/processes/worker-720p/kill", headers=secret).json() == {"processes": ["worker-720p.1"]}
    assert inside.post("/processes/worker-720p/kill").status_code == 403
    assert inside.post("/down", headers=secret).status_code == 403
    assert not lab.closing
    host = Http(control.app(), base_url="http://127.0.0.1:9000")  # type: ignore[arg-type]
    assert host.post("/down", headers=secret).status_code == 202
    assert lab.closing


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
