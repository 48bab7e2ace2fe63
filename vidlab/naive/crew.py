"""Real Celery workers with the habits of your choice, on a queue of their own: what a kill costs can be counted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from vidlab.face.waiting import until
from vidlab.naive.habits import QUEUE, TASK, Habits, make_app
from vidlab.naive.team import Team
from vidlab.settings import Settings

NAMES = ("anna", "bert", "cleo")
UNACKED = "unacked"  # kombu's hash of what a worker holds and has not acknowledged
QUIET = 0.5  # seconds in which nothing happens: between its acknowledgement and its first line a task is nowhere


@dataclass(frozen=True, kw_only=True)
class Task:
    """What became of a task. Times are seconds since it was sent."""

    number: int
    #: How long its work takes.
    seconds: float
    #: Who began it last, and when it began first; None: nobody.
    worker: str | None
    waited: float | None
    #: When it began first, and last, in seconds of the clock; 0: never.
    began_at: float
    last_began_at: float
    #: When it was first done; None: never.
    done_after: float | None
    #: How often somebody began it, and did it.
    begun: int
    done: int


class Crew:
    """Some workers, as a context manager: at its end they and their queue are gone, however it ends."""

    def __init__(self, settings: Settings, habits: Habits | None = None, workers: int = 2) -> None:
        self.habits = habits or Habits()
        self.team = Team(settings, "vidlab.naive.worker")
        self.app = make_app(self.team.url, self.habits)
        self._wanted = NAMES[:workers]
        #: Number -> seconds of work, and when it was sent.
        self._sent: dict[int, tuple[float, float]] = {}

    def __enter__(self) -> Self:
        self.team.__enter__()
        try:
            self.team.begin(dict.fromkeys(self._wanted, self.habits.as_json()))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.team.__exit__(kind, error, at)
        finally:
            self.app.close()

    # -- what is done

    def send(self, seconds: Sequence[float]) -> list[int]:
        """Put a task into the queue for each of these, which are how long they take; give their numbers."""
        numbers = []
        with closing(self.app.connection_for_write()) as connection:
            for one in seconds:
                number = len(self._sent)
                self._sent[number] = (one, time.time())
                self.app.send_task(TASK, (number, one), queue=QUEUE, connection=connection, ignore_result=True)
                numbers.append(number)
        return numbers

    def add(self, name: str) -> None:
        """Start one more worker, as a supervisor does when one has died."""
        self.team.begin({name: self.habits.as_json()})

    def kill(self, name: str) -> None:
        """End a worker at once, as the system does when memory runs out."""
        self.team.kill(name)

    def until_begun(self, number: int) -> str:
        """Wait until somebody has begun that task, and give the name."""
        until(lambda: bool(self.task(number).begun), f"somebody to begin task {number}")
        return str(self.task(number).worker)

    def until_over(self, timeout: float = 60.0) -> None:
        """Wait until nothing waits, nothing is held, and nobody who lives is at work. Raises NotThere."""
        until(self._is_over, "the crew to have nothing more to do", timeout)

    def _is_over(self) -> bool:
        def idle() -> bool:
            return not (self.waiting() or self.held() or self._at_work())

        if not idle():
            return False
        told = len(self.team.diary.told())
        time.sleep(QUIET)
        return idle() and len(self.team.diary.told()) == told

    # -- what can be seen

    def waiting(self) -> int:
        """Tasks in the queue that no worker has taken."""
        count: Any = self.team.diary.redis.llen(QUEUE)
        return int(count)

    def held(self) -> int:
        """Tasks that a worker has taken and not acknowledged, be it alive or dead."""
        count: Any = self.team.diary.redis.hlen(UNACKED)
        return int(count)

    def _at_work(self) -> list[str]:
        """Who of the living has begun more than was ended."""
        begun = Counter(line["who"] for line in self.team.diary.told("began"))
        ended = Counter(line["who"] for line in self.team.diary.told("ended"))
        return [name for name in self.team.names if begun[name] > ended[name]]

    def task(self, number: int) -> Task:
        """What became of that one."""
        return self.tasks()[number]

    def tasks(self) -> list[Task]:
        """What became of each, in the order in which they were sent."""
        told = self.team.diary.told()
        return [self._task(number, [line for line in told if line.get("number") == number]) for number in self._sent]

    def _task(self, number: int, lines: Sequence[dict[str, Any]]) -> Task:
        seconds, sent = self._sent[number]
        begun = [line for line in lines if line["what"] == "began"]
        done = [line for line in lines if line["what"] == "ended"]
        return Task(
            number=number,
            seconds=seconds,
            worker=begun[-1]["who"] if begun else None,
            waited=begun[0]["at"] - sent if begun else None,
            began_at=begun[0]["at"] if begun else 0.0,
            last_began_at=begun[-1]["at"] if begun else 0.0,
            done_after=done[0]["at"] - sent if done else None,
            begun=len(begun),
            done=len(done),
        )
