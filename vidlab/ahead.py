"""Does things in several threads, a bounded number ahead, and gives the results in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def bounded_map(do: Callable[[T], R], things: Iterable[T], at_once: int) -> Iterator[R]:
    """Like `map`, with at most `at_once` under way or waiting to be taken: so much memory is held, and no more.

    The first error is raised in its turn; what has not begun is then not done.
    """
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="ahead")
    under_way: deque[Future[R]] = deque()
    try:
        for thing in things:
            if len(under_way) == at_once:
                yield under_way.popleft().result()
            under_way.append(pool.submit(do, thing))
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
