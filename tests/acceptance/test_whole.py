"""The last of these modules: after all that the others did to the lab, nothing has come to harm in it."""

from __future__ import annotations

import time

from tests.lab import ENDED, RunningLab
from vidlab import clips as table
from vidlab.lab.case import Terms
from vidlab.lab.check import check
from vidlab.lab.evidence import Evidence, collect
from vidlab.lab.history import read_all
from vidlab.models import Status

GOING_ON = (Status.PREPROCESSING, Status.PROCESSING, Status.DELETING)


def test_after_all_faults_and_tests_nothing_has_come_to_harm(lab: RunningLab) -> None:
    lab.ended(lab.send(table.make("tiny", lab.clips)))  # it still works, too
    verdict = check(read_all(lab.settings.state), when_quiet(lab), Terms(bound=0))
    assert [f"{one.kind}: {one.check}: {one.text} ({one.shows})" for one in verdict.anomalies] == []
    assert verdict.ended == verdict.videos > 0


def when_quiet(lab: RunningLab) -> Evidence:
    """The evidence once everything has ended, or `ENDED` seconds have passed. What must play was played before."""
    deadline = time.monotonic() + ENDED
    while True:
        evidence = collect(lab.local, play=False)
        open_ones = [video for video in evidence.rows.videos if video.status in GOING_ON]
        if not open_ones or time.monotonic() > deadline:
            return evidence
