"""What a program that ended badly said is told, and of it what matters."""

from __future__ import annotations

import sys

import pytest

from vidlab.errors import CommandFailed
from vidlab.lab.shell import run

#: As a Java program ends: the reason, and then where in it.
STACK = "".join(f"\tat kafka.tools.StorageTool.main(StorageTool.scala:{line})\n" for line in range(40))


def failing(output: str) -> list[str]:
    program = f"import sys; sys.stdout.write({output!r}); sys.exit(1)"
    with pytest.raises(CommandFailed) as caught:
        run([sys.executable, "-c", program])
    return str(caught.value.facts["why"]).splitlines()


def test_the_reason_is_told_and_not_the_stack_below_it() -> None:
    reason = 'Exception in thread "main" ConfigException: Invalid value nonsense for configuration process.roles'
    assert failing(f"starts\n{reason}\n{STACK}") == ["starts", reason]


def test_the_last_lines_are_told() -> None:
    assert failing("".join(f"line {line}\n\n" for line in range(9))) == [f"line {line}" for line in range(4, 9)]


def test_who_printed_nothing_has_this_told() -> None:
    assert failing("") == ["it printed nothing"]
