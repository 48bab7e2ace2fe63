"""Frame rates are found by the frames' times, however these are rounded."""

from __future__ import annotations

from fractions import Fraction

import pytest

from vidlab.rates import STANDARD, declared_rates, measured_rate


def times(rate: Fraction, frames: int = 300, digits: int = 6, start: float = 0.0) -> list[float]:
    """The times of frames, rounded as a container rounds them."""
    return [round(start + float(number / rate), digits) for number in range(frames)]


@pytest.mark.parametrize("rate", STANDARD)
@pytest.mark.parametrize("digits", [6, 3])
def test_a_standard_rate_is_found_in_rounded_times(rate: Fraction, digits: int) -> None:
    assert measured_rate(times(rate, digits=digits), [rate]) == (rate, False)


@pytest.mark.parametrize("rate", [Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(60_000, 1001)])
def test_a_guess_of_the_container_is_not_believed(rate: Fraction) -> None:
    assert measured_rate(times(rate, frames=600, digits=3), [Fraction(1000)]) == (rate, False)


def test_an_unusual_rate_is_believed_when_the_frames_bear_it_out() -> None:
    assert measured_rate(times(Fraction(15)), [Fraction(15)]) == (Fraction(15), False)
    assert measured_rate(times(Fraction(37, 2)), [Fraction(90_000)]) == (Fraction(37, 2), False)


def test_a_rate_that_varies_is_called_so() -> None:
    fast, slow = times(Fraction(60), 200), times(Fraction(12), 60, start=200 / 60)
    assert measured_rate(fast + slow, [Fraction(60)]) == (Fraction(60), True)


def test_a_dropped_frame_does_not_make_a_rate_vary() -> None:
    some = times(Fraction(25))
    del some[100], some[200]
    assert measured_rate(some, [Fraction(25)]) == (Fraction(25), False)


@pytest.mark.parametrize(("declared", "rate"), [([Fraction(24)], 24), ([], 25), ([Fraction(90_000)], 25)])
def test_a_single_frame_has_the_declared_rate(declared: list[Fraction], rate: int) -> None:
    assert measured_rate([0.0], declared) == (Fraction(rate), False)


def test_a_declaration_of_nothing_is_none() -> None:
    assert declared_rates({"r_frame_rate": "0/0", "avg_frame_rate": "25/0"}) == []
    assert declared_rates({"r_frame_rate": "30000/1001"}) == [Fraction(30_000, 1001)]
