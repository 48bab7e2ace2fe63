"""Faults on real processes: each begins, lasts, and leaves the lab as it was."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.labs import StubLab
from tests.waiting import until
from vidlab.errors import BadRequest, CannotDo, UnknownFault, UnknownProcess
from vidlab.lab.faults import FAULTS
from vidlab.lab.tampering import ONCE
from vidlab.pipeline.scratch import full_mark

LONG = 60.0  # seconds; a test ends it before


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubLab]:
    with StubLab(tmp_path_factory.mktemp("outages"), with_parent=True) as running:
        yield running


def is_locked(database: Path) -> bool:
    with closing(sqlite3.connect(database, timeout=0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        return False


def state_of(lab: StubLab, name: str) -> str:
    return lab.status().process(name).state


def test_every_fault_says_what_it_does_how_it_ends_and_what_to_expect() -> None:
    assert all(fault.does and fault.ends and fault.expect for fault in FAULTS.values())
    assert {"kill", "pause", "kafka-down", "redis-down", "azurite-down", "clamd-down", "database-down"} < set(FAULTS)


def test_what_is_over_at_once_is_known_by_its_faults_name() -> None:
    assert set(ONCE) == {fault.name for fault in FAULTS.values() if fault.ends == "at once"}


def test_what_is_kept_down_is_not_started_again_before_the_fault_is_over(lab: StubLab) -> None:
    begun = lab.fault("kafka-down", "base", LONG)
    assert begun["words"] == "base is kept down"
    until(lambda: lab.status().process("base").pid is None, "it is gone")
    last = lab.events()[-1].id
    lab.events(last, wait=2)  # the supervisor looks meanwhile
    assert state_of(lab, "base") == "waiting"
    assert [one["id"] for one in lab.faults()] == [begun["id"]]
    assert [one["name"] for one in lab.faults_over()] == ["kafka-down"]
    lab.wait("base")
    assert lab.faults() == []


def test_a_fault_ends_by_itself(lab: StubLab) -> None:
    lab.fault("pause", "family", 0.2)
    until(lambda: not lab.faults(), "it is over")
    assert state_of(lab, "family") == "running"
    assert [event.kind for event in lab.events() if "fault" in event.facts][-2:] == ["fault", "fault_over"]


def test_what_was_killed_while_it_was_paused_is_no_trouble(lab: StubLab) -> None:
    lab.fault("pause", "family", LONG)
    lab.kill("family")
    lab.wait("family")
    lab.faults_over()
    assert state_of(lab, "family") == "running"


def test_a_process_with_another_clock_begins_anew_and_is_put_right_again(lab: StubLab) -> None:
    begun = lab.fault("clock-off", "stubborn", LONG)
    assert "60 s ahead" in begun["words"]
    lab.wait("stubborn")
    assert _environment(lab, "stubborn")["VIDLAB_CLOCK_OFF_SECONDS"] == "60.0"
    before = lab.status().process("stubborn").pid
    lab.faults_over(begun["id"])
    until(lambda: lab.wait("stubborn").process("stubborn").pid != before, "it has begun anew")
    assert "VIDLAB_CLOCK_OFF_SECONDS" not in _environment(lab, "stubborn")


def _environment(lab: StubLab, name: str) -> dict[str, str]:
    pid = lab.wait(name).process(name).pid
    words = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(word.split("=", 1) for word in words if "=" in word)


def test_a_locked_database_is_free_again_and_the_end_of_the_lab_frees_it_too(tmp_path: Path) -> None:
    with StubLab(tmp_path / "own", with_parent=True) as lab:
        database = lab.folder.root / "vidlab.db"
        lab.fault("database-down", "", 0.3)
        assert is_locked(database)
        until(lambda: not is_locked(database), "it is free")
        lab.fault("database-down", "", LONG)
        assert is_locked(database)
        began = time.monotonic()
        lab.down()
        assert time.monotonic() - began < LONG
        assert not is_locked(database)


def test_a_full_disk_has_room_again(lab: StubLab) -> None:
    begun = lab.fault("disk-full", "", LONG)
    assert full_mark(lab.settings()).exists()
    lab.faults_over(begun["id"])
    assert not full_mark(lab.settings()).exists()


@pytest.mark.parametrize(
    ("name", "target", "seconds", "error"),
    [
        ("nix", "", None, UnknownFault),
        ("kill", "nobody", None, UnknownProcess),
        ("pause", "base", -1.0, BadRequest),
        ("pause", "base", 1e9, BadRequest),
        ("slow-link", "redis", 1.0, CannotDo),
    ],
)
def test_what_cannot_be_done_is_told(
    lab: StubLab, name: str, target: str, seconds: float | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        lab.fault(name, target, seconds)
    assert lab.faults() == []
