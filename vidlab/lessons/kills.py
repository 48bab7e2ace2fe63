"""What a killed Celery worker takes with it, by its habits: counted with real workers and real kills."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

from vidlab.face import Lab
from vidlab.face.waiting import until
from vidlab.naive.crew import NAMES, Crew
from vidlab.naive.habits import Habits

TASKS = 8
WORK = 0.2  # seconds of work of each
FIRST = 1.0  # seconds of work of the first, so that it is still at work when the worker has fetched what it may


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One worker was killed at its first task, and another took its place. Draws itself as a table."""

    #: Tasks that were sent.
    sent: int
    #: Of these, right after the kill: those that nobody had taken, and those that Redis kept for the dead worker.
    waiting: int
    held: int
    #: In the end: done at least once, done more than once, and never done.
    done: int
    twice: int
    lost: int
    #: Seconds: the visibility time-out.
    visible: float
    #: Seconds from the kill until somebody began something that the dead worker had held; None: nobody did.
    back_after: float | None

    def _repr_html_(self) -> str:
        import pandas as pd

        return str(pd.DataFrame([asdict(self)]).round(1).to_html(index=False))


def kill_one(lab: Lab, habits: Habits) -> Kill:
    """Send some tasks to one worker, kill it at the first, start another, and count when nothing is left to do."""
    first, second = NAMES[:2]
    with Crew(lab.settings, habits, workers=1) as crew:
        crew.send([FIRST, *[WORK] * (TASKS - 1)])
        crew.until_begun(0)
        # Between the queue and `unacked` a task is nowhere: kombu fetches first, and notes it afterwards.
        until(lambda: crew.held() >= min(habits.prefetch, TASKS - 1), "the worker to hold what it may")
        crew.kill(first)
        killed_at = time.time()
        waiting, held = crew.waiting(), crew.held()
        crew.add(second)
        crew.until_over(habits.visible + 60)
        return _counted(crew, killed_at, waiting, held)


def _counted(crew: Crew, killed_at: float, waiting: int, held: int) -> Kill:
    tasks = crew.tasks()
    # What was in the queue is begun first, in its order; what was held comes back behind it.
    again = sorted(task.last_began_at for task in tasks[: len(tasks) - waiting] if task.last_began_at > killed_at)
    return Kill(
        sent=len(tasks),
        waiting=waiting,
        held=held,
        done=sum(task.done > 0 for task in tasks),
        twice=sum(task.done > 1 for task in tasks),
        lost=sum(task.done == 0 for task in tasks),
        visible=crew.habits.visible,
        back_after=again[0] - killed_at if again else None,
    )


@dataclass(frozen=True, kw_only=True)
class Impatience:
    """One task that takes longer than the visibility time-out."""

    #: Seconds: the time-out, and the task's work.
    visible: float
    work: float
    #: How often somebody began it, and did it, although nobody had died.
    begun: int
    done: int
    #: Seconds from when somebody began it until it was begun again; None: it was not.
    back_after: float | None

    def __repr__(self) -> str:
        head = f"{self.work:g} s of work with a visibility time-out of {self.visible:g} s"
        return f"{head}: begun {self.begun} times, done {self.done} times"


def impatient(lab: Lab, visible: float = 1.0, work: float = 2.5) -> Impatience:
    """Nobody dies, but Redis loses patience: who works has not acknowledged by then."""
    with Crew(lab.settings, Habits(late=True, prefetch=1, visible=visible)) as crew:
        crew.send([work])
        crew.until_over()
        task = crew.task(0)
    back = task.last_began_at - task.began_at if task.begun > 1 else None
    return Impatience(visible=visible, work=work, begun=task.begun, done=task.done, back_after=back)
