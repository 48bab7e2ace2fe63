"""Runs in a fork of the nursery, and tells what it finds there."""

import json
import os
import sys
import time

from vidlab.lab.ready import announce
from vidlab.settings import Settings


def main() -> None:
    settings = Settings()
    facts = {"arguments": sys.argv[1:], "process": settings.process, "parent": os.getppid(), "leads": os.getsid(0)}
    announce(settings, json.dumps(facts))
    time.sleep(600)


if __name__ == "__main__":
    main()
