"""A worker of the naive crew: `python -m vidlab.naive.worker NAME HABITS`. Its tasks sleep, and tell when."""

from __future__ import annotations

import json
import sys
import time
import warnings

from celery import signals
from celery.apps.worker import Worker
from celery.exceptions import SecurityWarning

from vidlab.naive.diary import Diary
from vidlab.naive.habits import QUEUE, TASK, Habits, make_app
from vidlab.settings import Settings


def main(name: str, habits: Habits) -> None:
    """Work until killed."""
    url = Settings().redis_url
    diary = Diary(url, name)

    def sleep(number: int, seconds: float) -> None:
        diary.tell("began", number=number)
        time.sleep(seconds)  # this is the task's work
        diary.tell("ended", number=number)

    # Celery warns root because of pickle; only JSON is accepted here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    app = make_app(url, habits)
    app.task(sleep, name=TASK)
    signals.worker_ready.connect(lambda **_: diary.tell("ready"), weak=False)
    Worker(
        app=app,
        hostname=f"{name}@lesson",
        queues=[QUEUE],
        pool="prefork",
        concurrency=1,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    ).start()


if __name__ == "__main__":
    main(sys.argv[1], Habits(**json.loads(sys.argv[2])))
