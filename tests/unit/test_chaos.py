"""The rounds of a seed are a pure function of it; faults are run on real processes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.unit.labs import StubLab
from tests.unit.world import World
from vidlab.cli import main
from vidlab.commands import chaos as command
from vidlab.lab import chaos
from vidlab.lab.chaos import DOWN, LONGEST_PAUSE, OUTAGES, ROUNDS, SPAN, Outcome, Planned, kinds, plan, run_fault
from vidlab.lab.faults import FAULTS
from vidlab.lab.spec import make_spec

SEEDS = range(20)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubLab]:
    with StubLab(tmp_path_factory.mktemp("chaos"), with_parent=True) as running:
        yield running


# -- the plan


def test_the_same_seed_makes_the_same_rounds_and_another_makes_others() -> None:
    assert plan(7) == plan(7)
    assert plan(7) != plan(8)


def test_a_round_is_the_same_however_many_follow() -> None:
    assert plan(7, 3) == plan(7)[:3]


@pytest.mark.parametrize("seed", SEEDS)
def test_in_all_rounds_every_kind_is_killed_and_each_server_is_away(seed: int) -> None:
    faults = [fault for one in plan(seed) for fault in one.faults]
    killed = Counter(fault.target for fault in faults if fault.name == "kill")
    assert set(killed) == {kind.name for kind in make_spec()} - {"init"}
    away = [fault for fault in faults if fault.name in OUTAGES]
    assert {fault.name for fault in away} == set(OUTAGES)
    assert len(OUTAGES) == 5  # every server, and the database
    assert {fault.seconds for fault in away} == {DOWN} == {20.0}


@pytest.mark.parametrize("seed", SEEDS)
def test_faults_come_at_random_times_in_their_order(seed: int) -> None:
    rounds = plan(seed)
    assert [one.number for one in rounds] == list(range(1, ROUNDS + 1))
    for one in rounds:
        times = [fault.begin for fault in one.faults]
        assert times == sorted(times)
        assert 0 <= times[0] <= times[-1] <= SPAN
    assert len({fault.begin for one in rounds for fault in one.faults}) > ROUNDS


def test_no_server_is_killed_while_it_is_away() -> None:
    for one in (one for seed in range(50) for one in plan(seed)):
        (outage,) = [fault for fault in one.faults if fault.name in OUTAGES]
        kills = [fault for fault in one.faults if f"{fault.target}-down" == outage.name]
        assert not any(outage.begin <= kill.begin < outage.begin + DOWN for kill in kills)
        assert one.faults[-1].begin <= SPAN


def test_what_is_planned_can_be_run() -> None:
    for one in plan(7):
        for fault in one.faults:
            assert fault.name in FAULTS
            assert fault.target in (*kinds(), "")
            assert fault.seconds <= max(DOWN, LONGEST_PAUSE)


def test_a_fault_is_told_in_words() -> None:
    assert str(Planned(begin=1, name="kill", target="worker-360p")) == "kill worker-360p"
    assert str(Planned(begin=1, name="kafka-down", target="", seconds=20)) == "kafka-down for 20 s"
    assert str(Planned(begin=1, name="pause", target="keeper", seconds=3)) == "pause keeper for 3 s"


# -- faults


def test_what_is_killed_comes_back(lab: StubLab) -> None:
    before = lab.status().process("family").pid
    run_fault(lab, "kill", "family", 0)
    assert lab.wait("family").process("family").pid not in (before, None)


def test_what_is_paused_goes_on_when_its_time_is_over(lab: StubLab) -> None:
    last = max((event.id for event in lab.events()), default=0)
    run_fault(lab, "pause", "family", 0.05)
    kinds = [event.kind for event in lab.events(last) if event.process == "family"]
    assert kinds == ["paused", "fault", "resumed", "fault_over"]
    assert lab.status().process("family").state == "running"


def test_a_fault_that_cannot_be_run_is_told(lab: StubLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaos, "AGAIN", 0.0)
    told: list[Planned] = []
    fault = Planned(begin=0, name="kill", target="nobody")
    reason = chaos._in_time(lab, fault, time.monotonic(), told.append)
    assert reason == "kill nobody: The lab has no process nobody."
    assert told == [fault]


# -- the command


def well(world: World) -> None:
    """Nothing is done to it."""


def harmed(world: World) -> None:
    world.tell("completed")


@pytest.mark.parametrize(
    ("rounds", "whole", "code"),
    [
        ({1: well, 2: well}, True, 0),
        ({1: well, 2: harmed}, True, 1),
        ({1: well, 2: well}, False, 1),
    ],
)
def test_one_round_that_is_not_well_fails_them_all(
    lab: StubLab,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rounds: dict[int, Callable[[World], None]],
    whole: bool,
    code: int,
) -> None:
    def run_round(_lab: object, _seed: int, one: chaos.Round, *_: object, **_more: object) -> Outcome:
        world = World()
        rounds[one.number](world)
        return Outcome(number=one.number, verdict=world.judged(), seconds=3.0, not_run=())

    monkeypatch.setattr(chaos, "run_round", run_round)
    monkeypatch.setattr(command, "_whole", lambda _lab: whole)
    monkeypatch.setattr("sys.argv", ["vidlab", "--state", str(lab.folder.root), "chaos", "--rounds", "2"])
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code or 0) == code
    shown = capsys.readouterr().out
    assert "round 2 of 2, seed 7" in shown
    assert ("1 of 2 rounds were well; not 2" in shown) == (rounds[2] is harmed)


def test_one_round_can_be_repeated_alone(
    lab: StubLab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[chaos.Round] = []

    def run_round(_lab: object, _seed: int, one: chaos.Round, *_: object, **_more: object) -> Outcome:
        seen.append(one)
        return Outcome(number=one.number, verdict=World().judged(), seconds=3.0, not_run=())

    monkeypatch.setattr(chaos, "run_round", run_round)
    monkeypatch.setattr(command, "_whole", lambda _lab: True)
    words = ["--seed", "9", "--round", "3"]
    monkeypatch.setattr("sys.argv", ["vidlab", "--state", str(lab.folder.root), "chaos", *words])
    with pytest.raises(SystemExit):
        main()
    assert seen == [plan(9)[2]]
    assert "1 of 1 rounds were well" in capsys.readouterr().out
