"""Versions are read from what programs say of themselves."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vidlab.errors import CommandFailed
from vidlab.lab.versions import dotted, is_old, numbers, told
from vidlab.programs import Found


@pytest.mark.parametrize(
    ("version", "meant"),
    [("8.1.2-static", (8, 1, 2)), ("1.0", (1, 0)), ("N-1234-gabc", ()), ("", ())],
)
def test_numbers(version: str, meant: tuple[int, ...]) -> None:
    assert numbers(version) == meant


def test_only_a_number_can_be_old() -> None:
    assert is_old("4.4", (5, 1))
    assert not is_old("5.1.9", (5, 1))
    assert not is_old("N-1234-gabc", (5, 1))


def test_dotted() -> None:
    assert dotted((5, 1)) == "5.1"


def test_a_program_is_asked() -> None:
    python = Found(Path(sys.executable), "here")
    assert told("--version", r"Python ([\d.]+)")(python) == ".".join(map(str, sys.version_info[:3]))
    assert told("--version", r"Perl ([\d.]+)")(python) == ""


def test_one_that_does_not_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed):
        told("--version", "x")(Found(tmp_path / "nothing", "here"))
