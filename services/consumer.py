"""A stage's Kafka consumer: `python -m services.consumer 360p`."""

import signal
import sys
import threading

from vidlab.lab.ready import announce
from vidlab.logs import set_up_logs
from vidlab.pipeline.fanout import consume
from vidlab.profiles import stages
from vidlab.settings import Settings


def main(name: str) -> None:
    settings = Settings()
    set_up_logs(settings.process)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    stage = {stage.name: stage for stage in stages()}[name]
    consume(stage, settings, lambda text: announce(settings, text), stopping.is_set)


if __name__ == "__main__":
    main(sys.argv[1])
