"""Frame rates: what a container declares, what the frames' times show, and what is meant by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median_low
from typing import Any

#: Rates that a camera or an editor means; a measured one is taken for the nearest.
STANDARD = (
    *(Fraction(24_000, 1001), Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(30), Fraction(48)),
    *(Fraction(50), Fraction(60_000, 1001), Fraction(60), Fraction(100), Fraction(120_000, 1001), Fraction(120)),
)
CLOSE = Fraction(3, 1000)  # of a rate: as near as that, a standard rate is meant
NEAR = Fraction(1, 100)  # of a rate: as near as that, what the container says is believed
JITTER = 0.0015  # seconds; Matroska and FLV round times to a millisecond
REGULAR = 0.9  # of the steps between frames; with fewer of one length the rate is called variable
FALLBACK = Fraction(25)  # frames a second, for a single frame that says nothing
SENSIBLE = range(1, 121)  # frames a second; containers declare a thousand and more when they do not know


def declared_rates(stream: Mapping[str, Any]) -> list[Fraction]:
    """What a stream says of its frame rate, to ffprobe."""
    told = (stream.get(name, "0/0") for name in ("r_frame_rate", "avg_frame_rate"))
    return [Fraction(rate) for rate in told if not rate.startswith("0/") and not rate.endswith("/0")]


def measured_rate(times: Sequence[float], declared: Sequence[Fraction]) -> tuple[Fraction, bool]:
    """Frames a second by the frames' times (sorted, in seconds), and whether the rate varies."""
    steps = [later - earlier for earlier, later in pairwise(times) if later > earlier]
    if not steps:
        return next((rate for rate in declared if int(rate) in SENSIBLE), FALLBACK), False
    usual = median_low(steps)  # one of them, so that some are regular, however few there are
    regular = [step for step in steps if abs(step - usual) <= max(usual / 4, JITTER)]
    measured = Fraction(len(regular) / sum(regular))
    return meant_rate(measured, declared), len(regular) < REGULAR * len(steps)


def meant_rate(measured: Fraction, declared: Sequence[Fraction]) -> Fraction:
    """The rate that a measured one stands for: times are often rounded, and declarations often guessed.

    So what is declared counts when the frames bear it out, and a standard rate more than another.
    """
    choices = (
        _near(measured, (rate for rate in declared if rate in STANDARD), NEAR),
        _near(measured, STANDARD, CLOSE),
        _near(measured, declared, NEAR),
        [measured.limit_denominator(1001)],
    )
    return next(rates[0] for rates in choices if rates)


def _near(measured: Fraction, rates: Iterable[Fraction], share: Fraction) -> list[Fraction]:
    """The rates that are as near as that, the nearest first."""
    fitting = [rate for rate in rates if abs(rate - measured) <= share * measured]
    return sorted(fitting, key=lambda rate: abs(rate - measured))
