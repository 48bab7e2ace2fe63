"""A worker of a real lab killed, and one put to sleep: what the notebook of queues and workers relies on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import RunningLab
from vidlab.face import Lab
from vidlab.lessons import queues_and_workers as lesson

STAGE = "720p"
WITHIN = 15.0  # seconds in which a dead worker's job must have been taken over; a busy machine adds some
BUSY = 15.0


@pytest.fixture
def face(lab: RunningLab) -> Iterator[Lab]:
    face = Lab(lab.local)
    yield face
    face.client.close()


def counts(lab: RunningLab) -> list[str]:
    return sorted(one.name for one in lab.local.status().processes if not one.stopping)


def test_a_killed_worker_s_job_is_taken_over_and_its_task_stays_with_redis(face: Lab) -> None:
    video = face.upload("landscape")
    worker = lesson.at_work(video, STAGE)
    killed_at = lesson.now()
    face.kill(worker)
    assert lesson.kept_for_the_dead(face, video, STAGE) == 1
    video.wait()
    taken = lesson.takeover(video, STAGE, killed_at)
    assert taken.freed <= taken.claimed < WITHIN + BUSY
    assert (taken.attempt, taken.fence) == (2, 2)
    assert lesson.verdict_on(face, [video]).well


def test_a_sleeper_that_wakes_publishes_nothing(lab: RunningLab, face: Lab) -> None:
    before = counts(lab)
    with lesson.one_more(face, f"worker-{STAGE}"):
        video = face.upload("landscape")
        sleeper = lesson.at_work(video, STAGE)
        with lesson.paused(face, sleeper):
            video.wait()
        events = lesson.fenced_off(face, sleeper, video, STAGE)
    (done,) = events[events.kind == "done"].itertuples()
    assert done.process != sleeper
    assert done.fence == 2
    assert lesson.verdict_on(face, [video]).well
    assert counts(lab) == before


def test_interrupted_the_sleeper_goes_on_and_the_helper_goes(lab: RunningLab, face: Lab) -> None:
    before = counts(lab)

    def stop() -> None:
        with lesson.one_more(face, f"worker-{STAGE}"), lesson.paused(face, f"worker-{STAGE}.1"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert counts(lab) == before
    assert face.status().loc[f"worker-{STAGE}.1", "state"] == "running"
