"""The keeper's judgement: its own polls count, and nothing else."""

from __future__ import annotations

from vidlab.keeper import ROUNDS, Patience


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


def test_the_rounds_have_names_of_their_own() -> None:
    assert len({one.name for one in ROUNDS}) == len(ROUNDS)
