"""Runs of numbers: which chunks are there and which are missing, told briefly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: First and last of some numbers that follow each other.
Run = tuple[int, int]

SHOWN = 10  # runs


def runs(numbers: Iterable[int]) -> list[Run]:
    """First and last of each run, in order."""
    found: list[Run] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def in_words(some: Sequence[Run]) -> str:
    """`3 to 5, 9`; a long list is cut."""
    words = [str(first) if first == last else f"{first} to {last}" for first, last in some[:SHOWN]]
    more = len(some) - SHOWN
    return ", ".join(words) + (f" and {more} more ranges" if more > 0 else "")
