"""A round of faults under load on a real lab ends well; hours of it are `make chaos`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import ENDED, RunningLab, running_lab
from vidlab.lab import history
from vidlab.lab.chaos import Planned, Round, run_round
from vidlab.lab.compose.containers import IMPOSSIBLE
from vidlab.lab.faults import FAULTS as TABLE
from vidlab.lab.faults import Fault
from vidlab.lab.history import Kind
from vidlab.settings import Settings

GAP = 4.0  # seconds between two faults
LASTING = 6.0  # seconds
VIDEOS = 30

FAULTS = (
    Planned(begin=0.5, name="kill", target="worker-144p"),
    Planned(begin=1.0, name="pause", target="api", seconds=2.0),
    Planned(begin=1.5, name="kill", target="worker-preprocessing"),
    Planned(begin=2.0, name="kill", target="consumer-thumbnail"),
)


@pytest.mark.slow
def test_a_round_of_faults_under_load_ends_well(lab: RunningLab) -> None:
    told: list[Planned] = []
    outcome = run_round(lab.local, 7, Round(number=99, faults=FAULTS), 8, bound=ENDED, on_fault=told.append)
    assert outcome.not_run == ()
    assert outcome.verdict.anomalies == ()
    assert (outcome.verdict.videos, outcome.verdict.ended) == (8, 8)
    assert outcome.well
    assert sorted(told, key=lambda fault: fault.begin) == list(FAULTS)
    path = history.folder_of(lab.settings.state) / "chaos-7-99.jsonl"
    lines = history.read(path).lines
    asked = [line.request for line in lines if line.kind == Kind.INVOKE]
    assert sorted(asked) == sorted(line.request for line in lines if line.kind != Kind.INVOKE)
    path.unlink()


def each_once(gap: float, possible: list[Fault]) -> tuple[Planned, ...]:
    """Every fault, one after the other begun; the later ones come while the earlier ones last."""
    return tuple(
        Planned(begin=number * gap, name=fault.name, target=fault.target, seconds=min(fault.seconds, LASTING))
        for number, fault in enumerate(possible)
    )


@pytest.fixture
def linked(tmp_path: Path, clips: Path, request: pytest.FixtureRequest) -> Iterator[RunningLab]:
    """A lab of its own, with links. Containers have none: there it is the session's."""
    if Settings().lab == "compose":
        yield request.getfixturevalue("lab")
        return
    with running_lab(tmp_path / "lab", clips, VIDLAB_LINKS="1") as lab:
        yield lab


@pytest.mark.timeout(600)
def test_every_fault_that_can_be_had_once_and_nothing_comes_to_harm(linked: RunningLab) -> None:
    impossible = IMPOSSIBLE if Settings().lab == "compose" else {}
    possible = [fault for name, fault in TABLE.items() if name not in impossible]
    last = max((event.id for event in linked.local.events()), default=0)
    outcome = run_round(linked.local, 7, Round(number=1, faults=each_once(GAP, possible)), VIDEOS, bound=ENDED)
    assert outcome.not_run == ()
    assert outcome.verdict.anomalies == ()
    assert outcome.verdict.videos == outcome.verdict.ended == VIDEOS
    assert linked.local.faults() == []
    told = {event.facts["fault"] for event in linked.local.events(last) if event.kind == "fault_over"}
    assert told == {fault.name for fault in possible}
    history.folder_of(linked.settings.state).joinpath("chaos-7-01.jsonl").unlink()
