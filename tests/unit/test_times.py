"""Times that jump are put right as FFmpeg puts them right."""

from __future__ import annotations

import pytest

from vidlab.times import Clock

STEP = 0.04  # seconds


def shown(times: list[float], *, joins: bool) -> tuple[list[float], bool]:
    """The times of a stream's packets after the clock's offsets, and whether they jumped."""
    clock = Clock(joins=joins)
    return [round(time + clock.offset(0, time, STEP), 6) for time in times], clock.jumped


@pytest.mark.parametrize("joins", [True, False])
def test_times_that_go_on_are_left_alone(joins: bool) -> None:
    times = [90.0, 90.04, 90.08, 95.0, 95.04]
    assert shown(times, joins=joins) == (times, False)


@pytest.mark.parametrize("later", [10.0, 0.0, 50_000.0])
def test_a_joined_recording_goes_on_where_the_first_one_ended(later: float) -> None:
    times = [10.0, 10.04, later - 1.0, later - 0.96]
    assert shown(times, joins=True) == ([10.0, 10.04, 10.08, 10.12], True)


def test_a_leap_is_a_long_picture_where_nothing_is_joined() -> None:
    assert shown([0.0, 3600.0], joins=False) == ([0.0, 3600.0], False)


def test_a_step_back_is_noticed_everywhere() -> None:
    assert shown([0.0, 0.04, 0.02], joins=False) == ([0.0, 0.04, 0.02], True)
    assert shown([0.0, 0.04, 0.02], joins=True) == ([0.0, 0.04, 0.02], True)


def test_packets_without_a_time_change_nothing() -> None:
    clock = Clock(joins=True)
    assert [clock.offset(0, time, STEP) for time in (0.0, None, 0.08)] == [0.0, 0.0, 0.0]
    assert not clock.jumped
