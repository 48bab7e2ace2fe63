"""How a Celery worker takes tasks. The defaults are Celery's own, and that is what is wrong with this crew."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from celery import Celery

QUEUE = "lesson"
TASK = "lesson.sleep"
LOOK = 0.5  # seconds between two looks for tasks whose time is over; by default 100


@dataclass(frozen=True, kw_only=True)
class Habits:
    """The settings of Celery that decide what a dead worker takes with it."""

    #: Acknowledge a task when it is done, instead of when it begins.
    late: bool = False
    #: How many tasks a worker may hold for each that it can do at a time.
    prefetch: int = 4
    #: The visibility time-out in seconds: a task that is not acknowledged by then is handed out again.
    visible: float = 3600.0

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def make_app(url: str, habits: Habits) -> Celery:
    """The app of a crew with those habits."""
    app = Celery("lesson", broker=url)
    app.conf.update(
        task_acks_late=habits.late,
        worker_prefetch_multiplier=habits.prefetch,
        worker_concurrency=1,
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        broker_transport_options={
            "visibility_timeout": habits.visible,
            "unacked_restore_interval": LOOK,
            "unacked_restore_throttle": 1,
        },
        broker_connection_retry_on_startup=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        timezone="UTC",
    )
    return app
