"""The keeper's judgement: its own polls count, and nothing else."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.waiting import until
from vidlab.errors import DependencyAway
from vidlab.keeper import ROUNDS, Keeper, Patience, keep
from vidlab.settings import Settings


def test_polls_without_a_change_are_counted_from_the_first_look() -> None:
    patience = Patience()
    assert patience.polls([("job", "beat 1")]) == {"job": 0}
    assert patience.polls([("job", "beat 1")]) == {"job": 1}
    assert patience.polls([("job", "beat 1")]) == {"job": 2}


def test_a_change_begins_anew_and_what_is_gone_is_forgotten() -> None:
    patience = Patience()
    patience.polls([("job", 1)])
    patience.polls([("job", 1)])
    assert patience.polls([("job", 2)]) == {"job": 0}
    assert patience.polls([]) == {}
    assert patience.polls([("job", 2)]) == {"job": 0}


def test_whatever_a_keeper_does_stands_in_its_rounds() -> None:
    """What is in no round is never done, and nothing else would tell."""
    done = [one.do for one in ROUNDS]
    assert sorted(one.__name__ for one in done) == sorted(name for name in vars(Keeper) if not name.startswith("_"))


def test_each_round_is_gone_again_and_again_whatever_happens_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: Counter[str] = Counter()
    over = threading.Event()

    def counting(name: str, error: Exception | None) -> Callable[[Keeper], None]:
        def do(_: Keeper) -> None:
            counted[name] += 1
            if error:
                raise error

        return do

    errors = {"relay": DependencyAway(name="kafka", why="refused"), "send due": ZeroDivisionError("unforeseen")}
    rounds = [replace(one, period=0.01, do=counting(one.name, errors.get(one.name))) for one in ROUNDS]
    monkeypatch.setattr("vidlab.keeper.ROUNDS", rounds)
    monkeypatch.setattr("vidlab.keeper.ROUND_PAUSE", 0.01)
    keeper = threading.Thread(target=keep, args=(Settings(kafka="127.0.0.1:1"), over))
    keeper.start()
    try:
        until(lambda: all(counted[one.name] > 2 for one in ROUNDS), "each round was gone three times")
    finally:
        over.set()
        keeper.join()
