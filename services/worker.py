"""A stage's Celery worker: `python -m services.worker 360p`. One task at a time, in a child of its own."""

import sys

from vidlab.lab.ready import announce
from vidlab.logs import set_up_logs
from vidlab.pipeline.work import Workshop
from vidlab.pipeline.worker import make_worker
from vidlab.profiles import stages
from vidlab.settings import Settings


def main(name: str) -> None:
    settings = Settings()
    set_up_logs(settings.process)
    stage = {stage.name: stage for stage in stages()}[name]
    make_worker(stage, Workshop(settings), lambda text: announce(settings, text)).start()


if __name__ == "__main__":
    main(sys.argv[1])
