"""A round of faults under load on a real lab ends well; what comes of all faults is `make chaos`."""

from __future__ import annotations

from tests.lab import ENDED, RunningLab
from vidlab.lab import history
from vidlab.lab.chaos import Planned, Round, run_round
from vidlab.lab.history import Kind

FAULTS = (
    Planned(begin=0.5, name="kill", target="worker-144p"),
    Planned(begin=1.0, name="pause", target="api", seconds=2.0),
    Planned(begin=1.5, name="kill", target="worker-preprocessing"),
    Planned(begin=2.0, name="kill", target="consumer-thumbnail"),
)


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
