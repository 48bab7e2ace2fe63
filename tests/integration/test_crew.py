"""Real Celery workers on a real Redis, and real kills: they lose what the notebook says, and leave nothing behind."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest
import redis

from vidlab.errors import LabFailed
from vidlab.face import Lab
from vidlab.lessons.kills import TASKS, impatient, kill_one
from vidlab.naive.crew import Crew
from vidlab.naive.diary import lesson_url
from vidlab.naive.habits import Habits
from vidlab.naive.team import Team
from vidlab.settings import Settings


@pytest.fixture
def crew_settings(broker: redis.Redis, redis_of_the_session: str, tmp_path: Path) -> Settings:
    """A Redis that is empty; nothing else is meant to be reached."""
    return Settings(state=tmp_path, redis_url=redis_of_the_session, kafka="127.0.0.1:1")


@pytest.fixture
def face(crew_settings: Settings) -> Lab:
    """What the lessons ask of a lab here: where its Redis is."""
    return cast(Lab, SimpleNamespace(settings=crew_settings))


def keys(settings: Settings) -> list[Any]:
    """What is left in the lessons' database."""
    with redis.Redis.from_url(lesson_url(settings.redis_url)) as client:
        return list(client.scan_iter())


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started."""
    one = psutil.Process(pid)
    return [one, *one.children(recursive=True)]


def test_early_acknowledgement_loses_what_had_begun(face: Lab) -> None:
    kill = kill_one(face, Habits(visible=2))
    assert (kill.sent, kill.done, kill.lost, kill.twice) == (TASKS, TASKS - 1, 1, 0)
    assert kill.held + kill.waiting == TASKS - 1
    assert kill.held > 0
    assert kill.back_after is not None
    assert kill.back_after > 1


def test_late_acknowledgement_loses_nothing(face: Lab) -> None:
    kill = kill_one(face, Habits(late=True, visible=2))
    assert (kill.done, kill.lost) == (TASKS, 0)
    assert kill.held + kill.waiting == TASKS


def test_what_a_dead_worker_held_stays_until_the_time_is_over(face: Lab) -> None:
    with Crew(face.settings, Habits(late=True, prefetch=1, visible=600), workers=1) as crew:
        crew.send([30, 0])
        worker = crew.until_begun(0)
        crew.kill(worker)
        assert (crew.held(), crew.waiting()) == (1, 1)
        crew.add("next")
        assert crew.until_begun(1) == "next"
        assert crew.held() <= 2
        assert crew.task(0).begun == 1


def test_a_task_longer_than_the_visibility_time_out_is_done_twice(face: Lab) -> None:
    slow = impatient(face, visible=1.0, work=3.0)
    assert slow.begun == slow.done
    assert slow.done >= 2
    assert slow.back_after is not None
    assert slow.back_after >= 1.0


def test_a_worker_that_may_hold_one_leaves_the_others_to_whoever_is_free(face: Lab) -> None:
    with Crew(face.settings, Habits(late=True, prefetch=1)) as crew:
        crew.send([3.0])
        busy = crew.until_begun(0)
        crew.send([0.05] * 6)
        crew.until_over()
        assert {task.worker for task in crew.tasks()[1:]} == set(crew.team.names) - {busy}


def test_a_worker_that_may_hold_more_makes_some_of_them_wait(face: Lab) -> None:
    with Crew(face.settings, Habits()) as crew:
        crew.send([3.0])
        busy = crew.until_begun(0)
        crew.send([0.05] * 12)
        crew.until_over()
        behind = [task for task in crew.tasks()[1:] if task.worker == busy]
        assert behind
        assert min(task.waited or 0.0 for task in behind) > 2


def interrupted(settings: Settings, met: list[psutil.Process]) -> None:
    """A learner who stops the cell while the crew is at work."""
    with Crew(settings, Habits()) as crew:
        crew.send([60.0] * 4)
        crew.until_begun(0)
        met += [process for name in crew.team.names for process in family(crew.team.pid(name))]
        assert keys(settings)
        raise KeyboardInterrupt


def test_nothing_is_left_when_it_was_interrupted(crew_settings: Settings) -> None:
    met: list[psutil.Process] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(crew_settings, met)
    assert len(met) >= 4  # two workers, and a child of each
    assert psutil.wait_procs(met, timeout=10)[1] == []
    assert keys(crew_settings) == []
    assert list((crew_settings.state / "run").iterdir()) == []


def test_the_lab_s_own_queues_are_not_touched(crew_settings: Settings, broker: redis.Redis) -> None:
    broker.lpush("video_processing_144p", "a task of the lab")
    with Crew(crew_settings, Habits()) as crew:
        crew.send([0.0])
        crew.until_over()
        assert broker.keys() == [b"video_processing_144p"]
    assert broker.keys() == [b"video_processing_144p"]


def test_a_member_that_cannot_start_is_told_with_its_last_words(crew_settings: Settings) -> None:
    team = Team(crew_settings, "vidlab.naive.nobody")
    with pytest.raises(LabFailed, match=r"anna ended at once.*nobody"), team:
        team.begin({"anna": "{}"})
    assert team.names == []


def test_a_kernel_that_is_killed_takes_its_crew_along(crew_settings: Settings) -> None:
    parent = os.fork()
    if not parent:
        crew = Crew(crew_settings, Habits())
        crew.__enter__()
        crew.send([60.0, 60.0])
        crew.until_begun(0)
        os.kill(os.getpid(), 9)
    os.waitpid(parent, 0)
    assert (crew_settings.state / "run" / "vidlab.naive.worker.log").exists()
    left = [one for one in psutil.process_iter() if _works_here(one, lesson_url(crew_settings.redis_url))]
    assert psutil.wait_procs(left, timeout=10)[1] == []


def _works_here(process: psutil.Process, url: str) -> bool:
    try:
        return process.environ().get("VIDLAB_REDIS_URL") == url
    except (psutil.Error, OSError):
        return False
