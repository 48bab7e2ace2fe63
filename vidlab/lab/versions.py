"""Asks programs for their versions, and compares them."""

from __future__ import annotations

import re
from collections.abc import Callable

from vidlab.lab.shell import run
from vidlab.programs import Found

PATIENCE = 20.0  # seconds for a program to tell its version


def told(option: str, pattern: str) -> Callable[[Found], str]:
    """A function that runs a program with that option and finds the version in what it prints.

    It gives "" when the program says something else, and raises CommandFailed when it does not run.
    """

    def ask(found: Found) -> str:
        match = re.search(pattern, run([found.path, option], seconds=PATIENCE))
        return match[1] if match else ""

    return ask


def numbers(version: str) -> tuple[int, ...]:
    """The version as something that can be compared: "8.1.2-static" is (8, 1, 2)."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, match[0].split("."))) if match else ()


def is_old(version: str, minimum: tuple[int, ...]) -> bool:
    """Is it certainly older? A version that is no number (a build from Git) is given the benefit of the doubt."""
    return bool(numbers(version)) and numbers(version) < minimum


def dotted(version: tuple[int, ...]) -> str:
    """The version as people write it."""
    return ".".join(map(str, version))
