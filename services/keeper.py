"""The keeper's process."""

import signal
import threading

from vidlab.keeper import keep
from vidlab.lab.ready import announce
from vidlab.logs import set_up_logs
from vidlab.settings import Settings


def main() -> None:
    settings = Settings()
    set_up_logs(settings.process)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    announce(settings, "goes its rounds")
    keep(settings, stopping)


if __name__ == "__main__":
    main()
