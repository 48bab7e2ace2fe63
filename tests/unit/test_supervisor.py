"""The supervisor with real processes: what it starts, what it starts again, and that it leaves none."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.unit.labs import StubLab, answering_server, is_gone
from tests.waiting import until
from vidlab.errors import (
    BadCount,
    CannotDo,
    LabFailed,
    LabNotRunning,
    NotReady,
    PartMissing,
    SupervisorSilent,
    UnknownProcess,
)
from vidlab.lab import client
from vidlab.lab.folder import LabFile
from vidlab.lab.forks import CAN_FORK
from vidlab.lab.journal import Event
from vidlab.lab.sweep import leftovers


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubLab]:
    """One lab for the tests that leave it as they found it."""
    with StubLab(tmp_path_factory.mktemp("lab"), with_parent=True) as running:
        yield running


@pytest.fixture
def own_lab(tmp_path: Path) -> Iterator[StubLab]:
    """A lab that a test may ruin; it is not up yet."""
    lab = StubLab(tmp_path / "own", with_parent=True)
    yield lab
    lab.down()


def pid_of(lab: StubLab, name: str) -> int:
    """The pid of a process, once it runs."""
    pid = lab.wait(name).process(name).pid
    assert pid is not None
    return pid


def child_of(lab: StubLab, name: str = "family") -> int:
    """The pid of the child that the process told of when it got ready."""
    pid = pid_of(lab, name)
    return next(
        int(event.text.split()[1]) for event in lab.events() if event.kind == "ready" and event.facts["pid"] == pid
    )


def written(lab: StubLab) -> LabFile:
    """What the folder tells of the running lab."""
    running = lab.folder.read_lab()
    assert running is not None
    return running


def told(lab: StubLab, kind: str, name: str) -> list[Event]:
    return [event for event in lab.events() if (event.kind, event.process) == (kind, name)]


# -- starting


def test_up_returns_when_each_condition_is_met(lab: StubLab) -> None:
    states = {one.name: one.state for one in lab.status().processes}
    assert states == {
        "base": "running",
        "first": "done",
        "worker-360p.1": "running",
        "family": "running",
        "stubborn": "running",
        "forked": "running",
    }
    assert lab.status().state == "up"
    assert told(lab, "ready", "base")[0].text == "answers"


def test_a_process_waits_for_what_it_stands_on(lab: StubLab) -> None:
    order = [(event.kind, event.process) for event in lab.events()]
    assert order.index(("ready", "base")) < order.index(("started", "first"))
    assert order.index(("done", "first")) < order.index(("started", "worker-360p.1"))


def test_output_goes_to_a_log_of_its_own(lab: StubLab) -> None:
    assert lab.logs("first") == "tables are there\n"


def test_a_second_up_finds_the_lab_running(lab: StubLab) -> None:
    before = pid_of(lab, "base")
    events: list[Event] = []
    StubLab(lab.folder.root).up(events.append)
    assert events == []
    assert pid_of(lab, "base") == before


def test_two_ups_at_once_start_one_lab(own_lab: StubLab) -> None:
    code = "import sys; from tests.unit.labs import StubLab; StubLab(sys.argv[1]).up()"
    ups = [subprocess.Popen([sys.executable, "-c", code, str(own_lab.folder.root)]) for _ in range(2)]
    assert [up.wait(60) for up in ups] == [0, 0]
    assert len(told(own_lab, "started", "base")) == 1


def test_a_lab_that_was_down_comes_back_with_its_ports(own_lab: StubLab) -> None:
    own_lab.up()
    file = own_lab.folder.root / "ports.json"
    far = 12_000 + os.getpid() % 1000  # from where labs look for free ones: any might take them while this one is down
    ports = {name: port + far * (name != "control") for name, port in json.loads(file.read_text()).items()}
    control = own_lab.control
    own_lab.down()
    file.write_text(json.dumps(ports))
    own_lab.up()
    assert json.loads(file.read_text()) == ports
    assert own_lab.control == control


def test_two_labs_have_different_ports(lab: StubLab, own_lab: StubLab) -> None:
    own_lab.up()
    one, other = (json.loads((each.folder.root / "ports.json").read_text()) for each in (lab, own_lab))
    assert not set(one.values()) & set(other.values())


def test_a_folder_in_use_for_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(LabFailed, match=r"holds thesis\.tex"):
        StubLab(tmp_path).up()


# -- crashes


def test_a_process_that_exits_at_once_is_reported_and_tried_later(lab: StubLab) -> None:
    lab.scale("crash", 1)
    until(lambda: lab.status().process("crash").restarts >= 2, "started three times")
    lab.wait("crash", "waiting")
    note = lab.status().process("crash").note
    assert note.startswith('exits with code 7 at once: "ffmpeg: not found"; next try in ')
    pauses = [event.time for event in told(lab, "started", "crash.1")]
    assert pauses[2] - pauses[1] > pauses[1] - pauses[0] > 0.4
    lab.scale("crash", 0)
    until(lambda: "crash.1" not in [one.name for one in lab.status().processes], "crash.1 is forgotten")


def test_up_fails_when_a_process_does_not_get_ready(own_lab: StubLab) -> None:
    own_lab.counts["crash"] = 1
    with pytest.raises(NotReady, match=r"crash\.1 did not get ready: it exits with code 7 at once\.") as caught:
        own_lab.up()
    assert "ffmpeg: not found" in caught.value.facts["lines"]
    assert caught.value.__notes__ == ["Nothing was lost: the lab is down, as before."]
    assert leftovers(own_lab.folder.lab_id) == []


def test_a_process_that_never_gets_ready_is_told_with_its_condition(own_lab: StubLab) -> None:
    own_lab.counts["mute"] = 1
    own_lab.env["VIDLAB_READY_SECONDS"] = "1"
    with pytest.raises(NotReady, match=r"mute did not get ready: within 1 s it did not say that it is ready\."):
        own_lab.up()


def test_a_program_that_is_not_where_a_setting_says_is_told_at_the_start(own_lab: StubLab) -> None:
    """Else the lab would come up, and fail each video."""
    own_lab.counts["encoder"] = 1
    own_lab.env["VIDLAB_FFMPEG"] = "/no/ffmpeg"
    with pytest.raises(PartMissing, match="VIDLAB_FFMPEG names /no/ffmpeg") as caught:
        own_lab.up()
    assert caught.value.advice.startswith("Correct VIDLAB_FFMPEG, or unset it")


def test_a_pinned_port_that_is_taken_is_told_with_a_hint(own_lab: StubLab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        own_lab.counts["redis"] = 1
        own_lab.env["VIDLAB_REDIS_PORT"] = str(port)
        with pytest.raises(NotReady, match="redis did not get ready") as caught:
            own_lab.up()
    assert caught.value.facts["lines"] == ["address already in use"]
    assert f"Port {port} was set by VIDLAB_REDIS_PORT" in caught.value.advice


def test_the_variable_of_the_port_that_is_taken_is_told_also_where_a_process_has_two(own_lab: StubLab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        own_lab.counts["kafka"] = 1
        own_lab.env["VIDLAB_KAFKA_CONTROLLER_PORT"] = str(port)
        with pytest.raises(NotReady, match="kafka did not get ready") as caught:
            own_lab.up()
    assert f"Port {port} was set by VIDLAB_KAFKA_CONTROLLER_PORT" in caught.value.advice


def test_a_server_of_the_user_is_not_started_and_told_when_it_is_away(own_lab: StubLab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    own_lab.counts["redis"] = 1
    own_lab.env |= {"VIDLAB_REDIS_URL": f"redis://127.0.0.1:{port}/0", "VIDLAB_READY_SECONDS": "1"}
    with pytest.raises(NotReady, match=r"redis did not get ready: within 1 s it did not answer PING\.") as caught:
        own_lab.up()
    assert caught.value.facts["lines"] == []
    assert "VIDLAB_REDIS_URL says where it is" in caught.value.advice
    assert not own_lab.folder.log_of("redis").exists()


def test_a_server_of_the_user_counts_when_it_answers(own_lab: StubLab) -> None:
    with answering_server(b"+PONG\r\n") as port:
        own_lab.counts["redis"] = 1
        own_lab.env["VIDLAB_REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
        own_lab.up()
    redis = own_lab.status().process("redis")
    assert (redis.state, redis.pid, redis.outside) == ("running", None, True)
    with pytest.raises(CannotDo, match="it runs outside of the lab"):
        own_lab.kill("redis")


# -- kill, pause, restart


def test_a_killed_process_is_back_at_once_and_takes_its_children_along(lab: StubLab) -> None:
    before, child = pid_of(lab, "family"), child_of(lab)
    assert lab.kill("family") == ["family"]
    lab.wait("family")
    assert pid_of(lab, "family") != before
    assert is_gone(before)
    until(lambda: is_gone(child), "the child is gone")
    assert lab.status().process("family").note.startswith("killed by you")


def test_when_the_leader_dies_its_group_goes_with_it(lab: StubLab) -> None:
    before, child = pid_of(lab, "family"), child_of(lab)
    os.kill(before, signal.SIGKILL)
    until(lambda: is_gone(child), "the child is gone")
    until(lambda: pid_of(lab, "family") != before, "family is back")


def test_one_pid_can_be_killed_alone(lab: StubLab) -> None:
    before, child = pid_of(lab, "family"), child_of(lab)
    assert lab.kill(child) == ["family"]
    until(lambda: is_gone(child), "the child is gone")
    until(lambda: pid_of(lab, "family") != before, "family, which waited for it, is back")


@pytest.mark.parametrize(
    "pid",
    [os.getpid(), 1, 0, "9" * 10, "9" * 20, "9" * 5000],
    ids=["own", "first", "none", "10 digits", "20 digits", "5000 digits"],
)
def test_a_pid_of_somebody_else_is_not_killed_nor_a_number_that_is_none(lab: StubLab, pid: int | str) -> None:
    with pytest.raises(UnknownProcess):
        lab.kill(pid)


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_pause_stops_the_whole_group(lab: StubLab) -> None:
    pids = pid_of(lab, "family"), child_of(lab)
    lab.pause("family")
    until(lambda: {state_of(pid) for pid in pids} == {"T"}, "both are stopped")
    assert lab.status().process("family").state == "paused"
    with pytest.raises(CannotDo, match="family cannot be paused"):
        lab.pause("family")
    lab.resume("family")
    until(lambda: "T" not in {state_of(pid) for pid in pids}, "both go on")
    assert lab.status().process("family").state == "running"


def test_what_somebody_else_stopped_is_shown_as_paused_and_can_be_resumed(lab: StubLab) -> None:
    pid = pid_of(lab, "base")
    os.kill(pid, signal.SIGSTOP)
    until(lambda: lab.status().process("base").state == "paused", "it is shown")
    lab.resume("base")
    until(lambda: state_of(pid) != "T", "it goes on")
    lab.pause("base")
    os.kill(pid, signal.SIGCONT)
    until(lambda: lab.status().process("base").state == "running", "it is shown")


def test_what_was_stopped_a_moment_ago_can_be_resumed(lab: StubLab) -> None:
    pid = pid_of(lab, "forked")  # of a fork the system does not tell the lab
    os.kill(pid, signal.SIGSTOP)
    until(lambda: state_of(pid) == "T", "it is stopped")
    lab.resume("forked")
    until(lambda: state_of(pid) != "T", "it goes on")


def test_a_paused_process_can_be_killed(lab: StubLab) -> None:
    before = pid_of(lab, "base")
    lab.pause("base")
    lab.kill("base")
    lab.wait("base")
    assert is_gone(before)


def test_restart_ends_what_does_not_listen(lab: StubLab) -> None:
    before = pid_of(lab, "stubborn")
    lab.restart("stubborn")
    assert pid_of(lab, "stubborn") != before


def test_what_ran_once_can_be_run_again(lab: StubLab) -> None:
    lab.restart("first")
    lab.wait("first", "done")
    assert len(told(lab, "done", "first")) == 2


# -- forks

forks_only = pytest.mark.skipif(not CAN_FORK, reason="the nursery is for Linux")


def facts_of(lab: StubLab) -> dict[str, Any]:
    """What the forked process told when it got ready."""
    pid = pid_of(lab, "forked")
    text = next(event.text for event in lab.events() if event.kind == "ready" and event.facts["pid"] == pid)
    return dict(json.loads(text))


@forks_only
def test_a_fork_is_as_if_it_had_been_started(lab: StubLab) -> None:
    facts = facts_of(lab)
    assert facts["arguments"] == ["an argument"]
    assert facts["process"] == "forked"
    assert facts["leads"] == pid_of(lab, "forked")


@forks_only
def test_the_exit_of_a_fork_is_told_as_that_of_any_process(lab: StubLab) -> None:
    before = pid_of(lab, "forked")
    os.kill(before, signal.SIGTERM)
    until(lambda: pid_of(lab, "forked") != before, "forked is back")
    assert told(lab, "exited", "forked")[-1].text.startswith("ended by SIGTERM")


@forks_only
def test_when_the_nursery_dies_its_forks_come_back_from_a_new_one(lab: StubLab) -> None:
    before, nursery = pid_of(lab, "forked"), facts_of(lab)["parent"]
    os.kill(nursery, signal.SIGKILL)
    until(lambda: pid_of(lab, "forked") != before, "forked is back")
    assert is_gone(before)
    assert facts_of(lab)["parent"] != nursery


@forks_only
def test_a_nursery_that_was_stopped_is_let_go_on(lab: StubLab) -> None:
    before, nursery = pid_of(lab, "forked"), facts_of(lab)["parent"]
    os.kill(nursery, signal.SIGSTOP)
    os.kill(before, signal.SIGKILL)
    until(lambda: pid_of(lab, "forked") != before, "forked is back")
    assert facts_of(lab)["parent"] == nursery


# -- scale


def test_scaling_up_starts_and_down_drains_the_highest_numbers(lab: StubLab) -> None:
    assert lab.scale("worker_360p", 3) == 1
    lab.wait("worker-360p")
    before = {number: pid_of(lab, f"worker-360p.{number}") for number in (1, 2, 3)}
    assert lab.scale("worker-360p", 1) == 3
    stopping = {one.name: one.stopping for one in lab.status().processes if one.kind == "worker-360p"}
    assert stopping == {"worker-360p.1": False, "worker-360p.2": True, "worker-360p.3": True}
    assert not is_gone(before[2])  # its task is not done
    finish = lab.folder.run / "finish"
    finish.touch()
    until(lambda: is_gone(before[2]) and is_gone(before[3]), "both have finished")
    finish.unlink()
    until(lambda: len(lab.status().processes) == 6, "one worker is left")
    assert pid_of(lab, "worker-360p.1") == before[1]


def test_only_numbered_kinds_are_scaled(lab: StubLab) -> None:
    with pytest.raises(CannotDo, match="base cannot be scaled"):
        lab.scale("base", 2)
    with pytest.raises(BadCount, match="0 to 64"):
        lab.scale("worker-360p", 65)
    with pytest.raises(UnknownProcess):
        lab.scale("worker-9000p", 2)


# -- the end


def test_down_leaves_no_process_and_keeps_the_folder(own_lab: StubLab) -> None:
    own_lab.up()
    child = child_of(own_lab)
    own_lab.down()
    assert is_gone(child)
    assert leftovers(own_lab.folder.lab_id) == []
    assert own_lab.status().state == "down"
    with pytest.raises(LabNotRunning):
        own_lab.kill("base")


def test_counts_and_pids_stand_in_the_folder_and_counts_outlive_the_lab(own_lab: StubLab) -> None:
    own_lab.up()
    own_lab.scale("worker-360p", 3)
    pids = {name: pid_of(own_lab, name) for name in ("base", "worker-360p.3")}
    until(lambda: pids.items() <= written(own_lab).processes.items(), "the pids are written down")
    running = written(own_lab)
    assert running.counts["worker-360p"] == 3
    own_lab.down()
    own_lab.up()
    assert {one.name for one in own_lab.status().processes} >= {"worker-360p.2", "worker-360p.3"}
    own_lab.down()
    own_lab.folder.write_counts({"worker-360p": 2, "worker-144p": 9, "base": 3, "crash": -1})
    own_lab.up()
    names = {one.name for one in own_lab.status().processes}
    assert "worker-360p.2" in names
    assert not names & {"worker-360p.3", "worker-144p.1", "base.2"}
    own_lab.reset()
    own_lab.up()
    assert "worker-360p.2" not in {one.name for one in own_lab.status().processes}


def test_a_lab_whose_folder_was_removed_gives_way_to_a_new_one(own_lab: StubLab) -> None:
    own_lab.up()
    first, first_id = written(own_lab), own_lab.folder.lab_id
    shutil.rmtree(own_lab.folder.root)
    own_lab.up()
    until(lambda: not leftovers(first_id), "nothing is left of the first lab")
    status = own_lab.status()
    assert status.state == "up"
    assert {one.state for one in status.processes} == {"running", "done"}
    assert written(own_lab).pid != first.pid


def test_a_lab_whose_folder_was_taken_by_another_goes_down_and_leaves_that_alone(own_lab: StubLab) -> None:
    own_lab.up()
    running = written(own_lab)
    own_lab.folder.write_lab(replace(running, pid=os.getpid()))
    until(lambda: is_gone(running.pid), "the first supervisor has ended")
    assert own_lab.folder.is_run_by(os.getpid())


def test_a_supervisor_that_is_silent_is_told_and_its_lab_is_left_alone(
    own_lab: StubLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_lab.up()
    monkeypatch.setattr(client, "PATIENCE", 0.5)
    running = written(own_lab)
    base = pid_of(own_lab, "base")
    os.kill(running.pid, signal.SIGSTOP)
    try:
        with pytest.raises(SupervisorSilent, match=str(running.pid)):
            own_lab.status()
        with pytest.raises(SupervisorSilent):
            own_lab.up()
        assert not is_gone(base)
    finally:
        os.kill(running.pid, signal.SIGCONT)
    assert own_lab.status().state == "up"


def test_a_supervisor_that_was_stopped_takes_its_lab_down_in_order(own_lab: StubLab) -> None:
    own_lab.up()
    os.kill(written(own_lab).pid, signal.SIGSTOP)
    own_lab.down()
    assert leftovers(own_lab.folder.lab_id) == []
    assert "stopped base" in own_lab.logs("supervisor", 100)


def test_who_runs_a_lab_is_known_by_the_id_that_it_carries(own_lab: StubLab) -> None:
    """Not by the time at which it began: that moves when the clock is set."""
    own_lab.up()
    running = written(own_lab)
    own_lab.folder.write_lab(replace(running, pid=os.getpid()))
    assert not own_lab.running
    own_lab.folder.write_lab(running)
    assert own_lab.running


def test_ours_stop_before_the_servers(own_lab: StubLab) -> None:
    own_lab.up()
    own_lab.down()
    log = own_lab.logs("supervisor", 100)
    assert log.index("stopped family") < log.index("stopped base")
    assert log.index("stopped stubborn") < log.index("stopped base")


def test_reset_forgets_the_data(own_lab: StubLab) -> None:
    own_lab.up()
    own_lab.reset()
    assert not own_lab.folder.root.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs PDEATHSIG")
def test_no_leader_survives_a_killed_supervisor_and_down_sweeps_the_rest(own_lab: StubLab) -> None:
    own_lab.up()
    leaders = [one.pid for one in own_lab.status().processes if one.pid]
    child = child_of(own_lab)
    running = own_lab.folder.read_lab()
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    until(lambda: all(is_gone(pid) for pid in leaders), "no leader is left")
    assert own_lab.status().state == "down"
    own_lab.down()
    assert is_gone(child)


def test_a_lab_with_a_parent_goes_down_with_it(own_lab: StubLab) -> None:
    code = (
        "import os, sys; from tests.unit.labs import StubLab; StubLab(sys.argv[1], with_parent=True).up(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(own_lab.folder.root)], check=False)
    until(lambda: not leftovers(own_lab.folder.lab_id), "nothing is left")


def test_a_lab_survives_the_one_who_started_it(own_lab: StubLab) -> None:
    code = "import sys; from tests.unit.labs import StubLab; StubLab(sys.argv[1]).up()"
    subprocess.run([sys.executable, "-c", code, str(own_lab.folder.root)], check=True, start_new_session=True)
    assert own_lab.status().state == "up"


# -- who may speak to it


def ask(lab: StubLab, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, object]]:
    running = lab.folder.read_lab()
    assert running is not None
    connection = http.client.HTTPConnection(urlsplit(running.control_url).netloc, timeout=10)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, json.loads(body) if answer.getheader("Content-Type", "").endswith("json") else {}


def test_the_secret_is_wanted(lab: StubLab) -> None:
    assert ask(lab, "/status")[0] == 403
    status, problem = ask(lab, "/processes/base/kill", "POST", X_VidLab_Secret="guess")
    assert status == 403
    assert problem["detail"] == "The lab does not take this request: it does not carry the lab's secret."
    assert ask(lab, "/status", X_VidLab_Secret=lab.folder.secret)[0] == 200


def test_only_the_owner_can_read_the_secret(lab: StubLab) -> None:
    for name in ("secret", "lab.json"):
        assert (lab.folder.root / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("host", ["evil.example", "vidlab.evil.example:80", "[", "127.0.0.1.evil.example"])
def test_a_host_that_is_not_this_machine_is_refused(lab: StubLab, host: str) -> None:
    assert ask(lab, "/status", Host=host, X_VidLab_Secret=lab.folder.secret)[0] == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
def test_a_foreign_page_is_refused(lab: StubLab, origin: str) -> None:
    assert ask(lab, "/status", Origin=origin, X_VidLab_Secret=lab.folder.secret)[0] == 403


@pytest.mark.parametrize("origin", ["http://localhost:8888", "http://127.0.0.1:5000", "http://[::1]:1"])
def test_a_page_of_this_machine_is_let_in_with_the_secret(lab: StubLab, origin: str) -> None:
    assert ask(lab, "/status", Origin=origin, X_VidLab_Secret=lab.folder.secret)[0] == 200
    assert ask(lab, "/status", Origin=origin)[0] == 403
    headers = {"Origin": origin, "Access_Control_Request_Method": "POST"}
    asked = "X-VidLab-Secret"
    assert ask(lab, "/kinds/worker-360p/scale", "OPTIONS", Access_Control_Request_Headers=asked, **headers)[0] == 200


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/processes/nobody/kill", "POST", 404),
        ("/processes/first/kill", "POST", 409),
        ("/kinds/worker-360p/scale", "POST", 422),
        ("/events?after=x", "GET", 422),
        (f"/logs/base?lines={'9' * 5000}", "GET", 422),
        ("/logs/base?lines=%D9%A3", "GET", 422),
        ("/pids/x/kill", "POST", 404),
        ("/logs/..%2Fsecret", "GET", 404),
        ("/nothing", "GET", 404),
    ],
    ids=lambda value: str(value)[:40],
)
def test_errors_are_problem_documents_with_a_sentence(lab: StubLab, path: str, method: str, status: int) -> None:
    code, problem = ask(lab, path, method, X_VidLab_Secret=lab.folder.secret)
    assert (code, problem["status"]) == (status, status)
    assert str(problem["detail"]).endswith((".", "}"))


def test_logs_can_be_followed_by_offset(lab: StubLab) -> None:
    secret = lab.folder.secret
    _, first = ask(lab, "/logs/first?lines=1", X_VidLab_Secret=secret)
    assert first["text"] == "tables are there\n"
    _, more = ask(lab, f"/logs/first?offset={first['offset']}", X_VidLab_Secret=secret)
    assert more["text"] == ""


def test_events_can_be_waited_for(lab: StubLab) -> None:
    last = lab.events()[-1].id
    assert lab.events(last) == []
    lab.pause("base")
    lab.resume("base")
    assert [event.kind for event in lab.events(last, wait=5)] == ["paused", "resumed"]
