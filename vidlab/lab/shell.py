"""Runs a program to its end, for the set-up and the doctor; what the lab keeps running is started by `launch`."""

from __future__ import annotations

import logging
import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from vidlab.errors import CommandFailed

log = logging.getLogger(__name__)


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    seconds: float | None = None,
    given: str = "",
    apart: bool = False,
) -> str:
    """What the program printed. `env` comes on top of this process's environment; `given` is what it reads.

    With `apart` what it says on standard error is no part of it, and told only when it fails. Raises CommandFailed.
    """
    words = [str(word) for word in argv]
    log.info("%s", shlex.join(words))
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            timeout=seconds,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if apart else subprocess.STDOUT,
            text=True,
            errors="replace",
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise CommandFailed(command=shlex.join(words), why=_last_lines(error.stdout + (error.stderr or ""))) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandFailed(command=shlex.join(words), why=str(error)) from error
    return done.stdout


def _last_lines(output: str, count: int = 5) -> str:
    # Of a Java program's stack the reason comes first.
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith(("\tat ", "    at "))]
    return "\n".join(lines[-count:]) or "it printed nothing"
