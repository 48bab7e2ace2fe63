"""A consumer is silent for a while: how far its group falls behind, and how soon it has caught up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vidlab.face import Lab
from vidlab.face.waiting import until
from vidlab.observe.kafka import lag
from vidlab.profiles import profile_named

LONG = 60.0  # seconds: on a busy machine, too


@contextmanager
def silent(lab: Lab, name: str) -> Iterator[None]:
    """A process that is paused while the block lasts."""
    lab.pause(name)
    try:
        yield
    finally:
        lab.resume(name)


def behind(lab: Lab, stage: str) -> int:
    """How many messages a stage's group has not read yet."""
    group = profile_named(stage).stage.group
    return sum(row.lag for row in lag(lab.settings) if row.group == group)


def fallen_behind(lab: Lab, stage: str, messages: int) -> int:
    """Wait until a stage's group is at least so many messages behind, and give how many. Raises NotThere."""
    until(lambda: behind(lab, stage) >= messages, f"{stage} to be {messages} messages behind", LONG)
    return behind(lab, stage)


def caught_up(lab: Lab, stage: str) -> float:
    """Wait until a stage's group has read everything, and give the seconds. Raises NotThere."""
    return until(lambda: not behind(lab, stage), f"{stage} to have caught up", LONG)
