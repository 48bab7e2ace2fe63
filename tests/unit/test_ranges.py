from __future__ import annotations

import pytest

from vidlab.ranges import Run, in_words, runs


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([], []), ([3], [(3, 3)]), ([2, 0, 1, 5, 7, 6], [(0, 2), (5, 7)]), (range(50_000), [(0, 49_999)])],
)
def test_runs(numbers: list[int], expected: list[Run]) -> None:
    assert runs(numbers) == expected


def test_words_for_people() -> None:
    assert in_words([(3, 5), (9, 9)]) == "3 to 5, 9"


def test_a_long_list_is_cut() -> None:
    assert in_words(runs(range(0, 60, 2))).endswith("16, 18 and 20 more ranges")
