"""The set-up: makes `.venv` from the locks, and has it bring the servers. It uses the standard library only.

What was done is noted with a hash of the files that say what to do. So a second run is over at once, a changed lock
brings what changed, and a run that was interrupted is begun again.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ROOT / "services"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NOTES = VENV / "vidlab-setup.json"
#: Written by `vidlab.lab.install`: what it put elsewhere.
PARTS = VENV / "vidlab-parts"

BUILD, CLIPS, UV = (SERVICES / f"requirements-{name}.txt" for name in ("build", "clips", "uv"))
PACKAGES, DEV_PACKAGES = SERVICES / "requirements.txt", SERVICES / "requirements-dev.txt"
PROJECT = (ROOT / "pyproject.toml",)
SERVER_LOCKS = (SERVICES / "kafka" / "jgo.lock.toml", SERVICES / "azurite" / "package-lock.json")

BAR = 20  # columns
POLL = 0.2  # seconds between looks at what has come

NO_UV = """vidlab: neither uv nor pip is here, so that no package can be fetched.
  Install one of them, then run the set-up again:
    sudo apt-get install python3-pip        (Debian, Ubuntu)
    brew install uv                         (macOS)
"""


def main() -> int:
    """Do what is not done yet."""
    parser = argparse.ArgumentParser(description="Set up VidLab in .venv.")
    parser.add_argument("--dev", action="store_true", help="also what the tests need")
    parser.add_argument("--force", action="store_true", help="all over again")
    options = parser.parse_args()
    setup = Setup(dev=options.dev, force=options.force)
    if setup.is_done():
        return 0
    with alone():
        return setup.run()


class Setup:
    """The steps, and the notes of what is done."""

    def __init__(self, *, dev: bool, force: bool) -> None:
        self.packages = DEV_PACKAGES if dev else PACKAGES
        self.force = force

    ...
