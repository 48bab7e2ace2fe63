"""The command line over a lab of small scripts."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.labs import StubLab
from tests.waiting import until
from vidlab.cli import main
from vidlab.commands import common, demo, lab
from vidlab.commands.common import duration, size
from vidlab.lab.folder import Folder

Vidlab = Callable[..., str]

#: `vidlab up` of a lab in which one process never gets ready.
UP_THAT_WAITS = """
import signal
from tests.unit.labs import StubLab
from vidlab import cli
from vidlab.commands import lab

def the_lab(state):
    waiting = StubLab(state)
    waiting.counts["mute"] = 1
    return waiting

signal.signal(signal.SIGINT, signal.default_int_handler)
lab.the_lab = the_lab
cli.main()
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a lab that is up."""
    with StubLab(tmp_path_factory.mktemp("cli"), with_parent=True) as running:
        yield running.folder.root


@pytest.fixture
def own_root(tmp_path: Path) -> Iterator[Path]:
    """A folder for a lab that a test takes up."""
    yield tmp_path / "lab"
    StubLab(tmp_path / "lab").down()


@pytest.fixture
def vidlab(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Vidlab:
    """Types a command, and gives what it printed; a command that fails raises SystemExit."""
    monkeypatch.setattr(lab, "the_lab", StubLab)
    monkeypatch.setattr(common, "the_lab", StubLab)

    def run(*words: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", ["vidlab", *map(str, words)])
        try:
            main()
        except SystemExit as end:
            if end.code:
                raise
        return capsys.readouterr().out

    return run


def fails(vidlab: Vidlab, capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    """Types a command that must fail, and gives what stands on standard error."""
    with pytest.raises(SystemExit) as end:
        vidlab(*words)
    assert end.value.code == 1
    return capsys.readouterr().err


def test_status_as_json_has_its_shape(vidlab: Vidlab, root: Path) -> None:
    told = json.loads(vidlab("status", "--json", "--state", root))
    assert told["state"] == "up"
    assert told["api_url"].startswith("http://127.0.0.1:")
    assert set(told["endpoints"]) >= {"kafka", "redis", "azurite", "clamd", "database"}
    assert all("://" in url for url in told["endpoints"].values())
    worker = next(one for one in told["processes"] if one["name"] == "worker-360p.1")
    assert worker["kind"] == "worker-360p"
    assert worker["state"] == "running"
    assert worker["pid"] > 1
    assert worker["restarts"] == 0
    assert told["disk_bytes"] > 0


def test_status_of_a_lab_that_is_down_is_json_too(vidlab: Vidlab, tmp_path: Path) -> None:
    told = json.loads(vidlab("status", "--json", "--state", tmp_path / "none"))
    assert told["state"] == "down"
    assert told["processes"] == []
    assert set(told["endpoints"]) == {"kafka", "redis", "azurite", "clamd", "database"}
    assert not (tmp_path / "none").exists()


def test_status_is_a_table_for_people(vidlab: Vidlab, root: Path) -> None:
    lines = vidlab("status", "--state", root).splitlines()
    assert lines[0].startswith(f"lab {root}, up ")
    row = next(line for line in lines if "worker-360p.1" in line).split()
    assert row[:2] == ["worker-360p.1", "running"]


def test_the_folder_may_be_named_before_the_command(vidlab: Vidlab, root: Path) -> None:
    assert json.loads(vidlab("--state", root, "status", "--json"))["state"] == "up"


def test_up_of_a_lab_that_is_up_says_so(vidlab: Vidlab, root: Path) -> None:
    assert vidlab("up", "--state", root).startswith(f"The lab in {root} is up: http://127.0.0.1:")


def test_up_tells_who_is_ready_and_down_that_the_data_is_kept(vidlab: Vidlab, own_root: Path) -> None:
    state = own_root
    lines = vidlab("up", "--state", state).splitlines()
    assert lines[0].split() == ["Starting", "the", "lab", f"({state})", "ready", "after"]
    names = [line.split()[0] for line in lines[1:-1]]
    assert sorted(names) == ["base", "family", "first", "forked", "stubborn"]
    assert names.index("base") < names.index("first") < names.index("family")
    assert lines[-1].split()[:2] == ["1", "worker"]
    assert all(line.endswith(" s") for line in lines[1:])
    assert vidlab("down", "--state", state) == f"The lab in {state} is down; its data is kept.\n"
    assert vidlab("down", "--state", state) == f"The lab in {state} was down; its data is kept.\n"
    assert "is forgotten" in vidlab("reset", "--state", state)
    assert not state.exists()


def test_processes_are_killed_paused_resumed_and_scaled(vidlab: Vidlab, root: Path) -> None:
    assert vidlab("pause", "base", "--state", root) == "paused base\n"
    assert vidlab("resume", "base", "--state", root) == "resumed base\n"
    assert vidlab("kill", "worker_360p", "--state", root) == "killed worker-360p.1\n"
    StubLab(root).wait("worker-360p")
    assert vidlab("restart", "first", "--state", root) == "restarting first\n"
    assert vidlab("scale", "crash", "0", "--state", root) == "crash: 0 wanted, before 0\n"


def test_logs_are_shown(vidlab: Vidlab, root: Path) -> None:
    assert "tables are there\n" in vidlab("logs", "first", "--state", root)
    assert vidlab("logs", "first", "-n", "0", "--state", root) == ""
    assert "started base" in vidlab("logs", "supervisor", "-n", "500", "--state", root)


def test_the_log_of_a_process_that_comes_later_is_followed_too(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "lab")
    folder.make()
    folder.log_of("worker-360p.1").write_text("old\nlast\n")
    words = ("--state", str(folder.root), "logs", "worker-360p", "-f", "-n", "1")
    command = [sys.executable, "-m", "vidlab.cli", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as following:
        try:
            assert following.stdout is not None
            assert following.stdout.readline() == "last\n"
            folder.log_of("worker-360p.2").write_text("its first\nline\n")
            assert [following.stdout.readline() for _ in range(2)] == [
                "worker-360p.2  its first\n",
                "worker-360p.2  line\n",
            ]
            with folder.log_of("worker-360p.1").open("a") as log:
                log.write("more\n")
            assert following.stdout.readline() == "worker-360p.1  more\n"
        finally:
            following.kill()


def test_who_interrupts_the_start_is_told_what_became_of_it(own_root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", UP_THAT_WAITS, "up", "--state", own_root], stdout=subprocess.PIPE, text=True
    ) as starting:
        until(lambda: StubLab(own_root).running, "it has begun")
        starting.send_signal(signal.SIGINT)
        told, _ = starting.communicate(timeout=60)
    assert told.endswith("\nNothing was lost: the lab is down, as before.\n")
    assert starting.returncode == 130
    assert not StubLab(own_root).running


def test_errors_are_told_calmly(vidlab: Vidlab, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = fails(vidlab, capsys, "kill", "nobody", "--state", root)
    assert told == (
        "vidlab: The lab has no process nobody.\n"
        "  `vidlab status` lists them; without a number a name means all of its kind.\n"
    )


@pytest.mark.parametrize("name", ["../x", "a/b", "a?b", "50%", "caf\u00e9"])
def test_any_name_is_told_as_it_was_typed(
    vidlab: Vidlab, root: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    unknown = f"vidlab: The lab has no process {name}.\n"
    assert fails(vidlab, capsys, "kill", name, "--state", root).startswith(unknown)
    unknown = f"vidlab: The lab has no kind of process that is called {name}.\n"
    assert fails(vidlab, capsys, "scale", name, "1", "--state", root).startswith(unknown)


def test_a_process_is_no_kind(vidlab: Vidlab, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = fails(vidlab, capsys, "scale", "worker-360p.1", "3", "--state", root)
    assert told.startswith("vidlab: The lab has no kind of process that is called worker-360p.1.\n")
    assert "without the number" in told


def test_a_negative_count_is_a_number(vidlab: Vidlab, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = fails(vidlab, capsys, "scale", "worker-360p", "-1", "--state", root)
    assert told.startswith("vidlab: There cannot be -1 of worker-360p: ")


def test_where_no_lab_ever_was_this_is_told(vidlab: Vidlab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty"
    assert vidlab("down", "--state", empty) == f"There is no lab in {empty}.\n"
    assert vidlab("reset", "--state", empty) == f"There is no lab in {empty}.\n"
    assert fails(vidlab, capsys, "logs", "kafka", "--state", empty).startswith(f"vidlab: No lab is running in {empty}.")
    assert not empty.exists()


def test_without_a_lab_the_way_to_one_is_told(
    vidlab: Vidlab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = fails(vidlab, capsys, "kill", "kafka", "--state", tmp_path)
    assert told == f"vidlab: No lab is running in {tmp_path}.\n  Start one with: vidlab up\n"


@pytest.mark.parametrize("command", ["up", "down", "reset", "status"])
def test_a_file_in_place_of_the_folder_is_told(
    vidlab: Vidlab, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (tmp_path / "file").touch()
    told = fails(vidlab, capsys, command, "--state", tmp_path / "file")
    assert told == (
        f"vidlab: {tmp_path / 'file'} cannot be the folder of a lab: it is no folder.\n"
        "  Name another with --state or VIDLAB_STATE.\n"
    )


def test_in_a_folder_that_is_gone_a_lab_can_still_be_named(
    vidlab: Vidlab, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    monkeypatch.delenv("VIDLAB_STATE")
    assert vidlab("status", "--state", root).startswith(f"lab {root}, up ")
    told = fails(vidlab, capsys, "status")
    assert told == "vidlab: The folder that you are in is no longer there.\n  Go to another one first.\n"


def test_a_lab_that_does_not_come_up_shows_the_log(
    vidlab: Vidlab, own_root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_crash(state: Path) -> StubLab:
        made = StubLab(state)
        made.counts["crash"] = 1
        return made

    monkeypatch.setattr(lab, "the_lab", with_a_crash)
    told = fails(vidlab, capsys, "up", "--state", own_root).splitlines()
    assert told[0] == "vidlab: crash.1 did not get ready: it exits with code 7 at once."
    assert told[1].startswith("  last lines of ")
    assert told[1].endswith("crash.1.log:")
    assert told[2] == "    ffmpeg: not found"
    assert told[-1] == "  Nothing was lost: the lab is down, as before."


SERVERS_CLIENTS = {"sqlalchemy", "celery", "redis", "confluent_kafka", "azure"}


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("vidlab.cli", SERVERS_CLIENTS | {"fastapi", "pydantic", "httpx"}),  # which only some commands need
        ("vidlab.lab.supervisor", SERVERS_CLIENTS),  # which only some faults need
    ],
)
def test_it_starts_without_what_it_seldom_needs(module: str, heavy: set[str]) -> None:
    code = f"import sys, {module}; print(*sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []


def test_every_command_has_help(vidlab: Vidlab) -> None:
    from vidlab.cli import COMMANDS

    for command in COMMANDS:
        assert "Usage: vidlab" in vidlab(command.__name__.replace("_", "-"), "--help")


def test_what_to_type_next_is_what_works_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After `make demo` the environment's programs are not on the search path."""
    program = tmp_path / ".venv" / "bin" / "vidlab"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setattr(sys, "argv", [".venv/bin/vidlab", "demo"])
    demo._what_next({"master_url": "http://x", "video_hash": "0123456789abcdef"})
    told = capsys.readouterr().out
    assert "see why        .venv/bin/vidlab watch 01234567\n" in told
    assert told.count(" .venv/bin/vidlab ") == 3
    monkeypatch.setenv("PATH", f"{program.parent}:/bin")
    assert common.vidlab() == "vidlab"
    monkeypatch.setattr(sys, "argv", ["/another/clone/.venv/bin/vidlab", "demo"])
    assert common.vidlab() == "/another/clone/.venv/bin/vidlab"
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "vidlab" / "cli.py"), "demo"])
    assert common.vidlab() == "vidlab"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (99, "99 s"), (840, "14 min"), (3600, "1 h 0 min"), (7500, "2 h 5 min")]
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1_100_000, "1.1 MB"), (250_000_000, "250 MB"), (5e15, "5000 TB")]
)
def test_sizes_are_for_people(count: float, text: str) -> None:
    assert size(count) == text
