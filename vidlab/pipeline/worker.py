"""A Celery worker that does the jobs of one stage.

It has two ways to stop. SIGTERM to the main process drains: the task in hand is finished first. SIGTERM to the whole
process group hands back: the child that works stops FFmpeg, and the job waits in the database for the next `up`.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import tempfile
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from celery import Celery, signals
from celery.apps.worker import Worker
from celery.exceptions import SecurityWarning

from vidlab.errors import DependencyAway
from vidlab.jobs import TASK, WORKER_FRESH, Queues, make_app
from vidlab.pipeline.steps import step_for
from vidlab.pipeline.work import Step, Workshop, work
from vidlab.processes import die_with_parent
from vidlab.profiles import Stage
from vidlab.settings import Settings

log = structlog.get_logger()


def make_worker(
    stage: Stage,
    shop: Workshop,
    on_ready: Callable[[str], None],
    steps: Callable[[str], Step] = step_for,
) -> Worker:
    """A worker that is ready to be started; `on_ready` is called when it takes tasks."""
    settings = shop.settings
    shutil.rmtree(settings.scratch, ignore_errors=True)  # what a crash left
    _keep_temporary_files(settings.state.absolute() / "run" / f"{settings.process}.tmp")
    # Celery warns root because of pickle; only JSON is accepted here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    app = make_app(settings)
    _register(app, shop, steps)
    _sign_in(stage, settings, on_ready)
    return Worker(
        app=app,
        hostname=f"{settings.process}@vidlab",
        queues=[stage.queue],
        pool="prefork",
        concurrency=1,
        loglevel="INFO",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=not settings.monitored,
        quiet=True,
    )


def _keep_temporary_files(folder: Path) -> None:
    """Have this process make them there: a worker that is killed leaves nothing elsewhere, and the next one sweeps."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tempfile.tempdir = str(folder)


def _register(app: Celery, shop: Workshop, steps: Callable[[str], Step]) -> None:
    def do(video_hash: str, job: str) -> None:
        # In the child's main thread, after billiard has set its own handlers.
        signal.signal(signal.SIGTERM, lambda *_: shop.going_down.set())
        work(shop, video_hash, job, steps)

    app.task(do, name=TASK)
    logging.getLogger("celery.worker.request").addFilter(_Unacknowledged())
    signals.worker_process_init.connect(lambda **_: die_with_parent(), weak=False)
    signals.setup_logging.connect(lambda **_: None, weak=False)  # ours stands already


class _Unacknowledged(logging.Filter):
    """Notices that an acknowledgement did not arrive.

    When Redis is away at that very moment Celery only logs it, counts the task as unfinished for ever, and so takes no
    other one, nor does it notice that its connection is gone. Then the worker ends, and is started again: the task
    comes a second time, and the lease refuses it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith("Couldn't ack"):
            log.warning("not acknowledged: this worker begins anew")
            os.kill(os.getpid(), signal.SIGTERM)
        return True


def _sign_in(stage: Stage, settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Tell in Redis that this worker is there, as long as it is: consumers fill the queue accordingly."""
    over = threading.Event()

    def stay() -> None:
        queues = Queues(settings)
        while not over.wait(WORKER_FRESH / 3):
            _tell(lambda: queues.sign_in(stage.queue, settings.process))
        _tell(lambda: queues.sign_out(stage.queue, settings.process))

    thread = threading.Thread(target=stay, name="sign-in", daemon=True)

    def began(**_: Any) -> None:
        _tell(lambda: Queues(settings).sign_in(stage.queue, settings.process))
        thread.start()
        on_ready(f"takes tasks from {stage.queue}")

    signals.worker_ready.connect(began, weak=False)
    signals.worker_shutting_down.connect(lambda **_: over.set(), weak=False)


def _tell(sign: Callable[[], None]) -> None:
    try:
        sign()
    except DependencyAway as error:
        log.warning("not signed in", reason=str(error))
