from __future__ import annotations

import threading
import time

import pytest

from vidlab.ahead import bounded_map


def test_results_come_in_order_whatever_takes_longer() -> None:
    def slow(number: int) -> int:
        time.sleep(0.02 * (3 - number))
        return number

    assert list(bounded_map(slow, range(4), 4)) == [0, 1, 2, 3]


def test_no_more_than_so_many_are_under_way() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def count(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1

    list(bounded_map(count, range(20), 3))
    assert most == 3


def test_nothing_is_begun_before_it_is_needed() -> None:
    begun: list[int] = []
    results = bounded_map(begun.append, range(100), 2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(begun) <= 3


def test_an_error_is_raised_and_the_rest_is_not_done() -> None:
    done: list[int] = []

    def fail(number: int) -> None:
        if number == 1:
            raise ZeroDivisionError
        done.append(number)

    with pytest.raises(ZeroDivisionError):
        list(bounded_map(fail, range(100), 1))
    assert done == [0]
