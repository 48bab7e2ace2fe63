"""What waits for one client of /live."""

from __future__ import annotations

import asyncio

import pytest

from vidlab.api.live.outbox import MOST, Outbox, Overflow


def drained(outbox: Outbox) -> list[object]:
    """All that waits now."""

    async def drain() -> list[object]:
        found = []
        try:
            while True:
                found.append((await asyncio.wait_for(outbox.next(), 0.01))["n"])
        except TimeoutError:
            return found

    return asyncio.run(drain())


def test_of_one_thing_only_the_newest_is_kept_in_its_place() -> None:
    outbox = Outbox()
    for key, number in (("a", 1), ("b", 2), ("a", 3)):
        outbox.put(key, {"n": number})
    assert drained(outbox) == [3, 2]


def test_a_client_that_waits_is_woken() -> None:
    async def woken() -> object:
        outbox = Outbox()
        asyncio.get_running_loop().call_later(0.01, outbox.put, "a", {"n": 1})
        return (await asyncio.wait_for(outbox.next(), 5))["n"]

    assert asyncio.run(woken()) == 1


def test_so_much_that_a_snapshot_says_it_shorter_is_dropped() -> None:
    outbox = Outbox()
    for number in range(MOST + 10):
        outbox.put(str(number), {"n": number})
    with pytest.raises(Overflow):
        asyncio.run(outbox.next())
    assert drained(outbox) == list(range(MOST + 1, MOST + 10)), "what came after it is told"
