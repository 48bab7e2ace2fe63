"""Kafka's share groups ("queues for Kafka"): several members on one partition, and a lock on each record.

The locks of a member whose connection closes are given up at once; one that is only silent keeps them until they run
out. Either way the record goes to another, and Kafka counts the deliveries.
"""

from __future__ import annotations

import html
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are public all the same
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from vidlab.errors import DependencyAway, NotThere
from vidlab.face import Lab
from vidlab.face.waiting import until
from vidlab.lessons.groups import ANSWER
from vidlab.lessons.own_topic import OwnTopic
from vidlab.lessons.sharer import Plan, value_of
from vidlab.naive.crew import NAMES
from vidlab.naive.team import Team
from vidlab.settings import Settings

LOCK = 2.0  # seconds for which a record is its member's; the lab allows no less than 1
SESSION = 2.0  # seconds until a silent member is counted out
DEFAULT_LOCK, DEFAULT_SESSION = 30.0, 45.0  # the same by Kafka's defaults
RECORDS, MORE = 10, 4  # posted at the beginning, and later
WORK = 0.3  # seconds of work on each
EMPTY = 15.0  # seconds in which a group whose members are gone must be empty


def configuration(lock: float, session: float) -> dict[str, str]:
    """What is set for the group alone; times are in milliseconds."""
    return {
        "share.auto.offset.reset": "earliest",
        "share.record.lock.duration.ms": str(round(lock * 1000)),
        "share.session.timeout.ms": str(round(session * 1000)),
        "share.heartbeat.interval.ms": "500",
    }


class Sharers:
    """A share group of real processes on a topic of its own. At the end processes, group and topic are gone."""

    def __init__(
        self, settings: Settings, *, partitions: int = 1, lock: float = LOCK, session: float = SESSION
    ) -> None:
        """`lock`: seconds for which a record is its member's; `session`: until a silent member is counted out."""
        self.names = NAMES[:2]
        self.configuration = configuration(lock, session)
        self.topic = OwnTopic(settings, partitions)
        self.group = f"{self.topic.name}-sharers"
        self.team = Team(settings, "vidlab.lessons.sharer")
        self.plan = Plan(topic=self.topic.name, group=self.group)

    def __enter__(self) -> Self:
        self.topic.__enter__()
        try:
            self.team.__enter__()
            self._configure(AlterConfigOpType.SET)
            self.team.begin(dict.fromkeys(self.names, self.plan.as_json()))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.team.end()
        finally:
            self.team.__exit__(kind, error, at)
            self._forget_group()
            self.topic.__exit__(kind, error, at)

    # -- what can be seen

    def begun(self, name: str = "") -> list[dict[str, Any]]:
        """Each time that somebody, or that one, was given a record: number, delivery, who, at."""
        return [line for line in self.team.diary.told("began") if name in ("", line["who"])]

    def ended(self) -> set[int]:
        """The numbers of the records that were done and acknowledged."""
        return {line["number"] for line in self.team.diary.told("ended")}

    def refused(self) -> set[int]:
        """Those whose acknowledgement came too late from somebody."""
        return {line["number"] for line in self.team.diary.told("refused")}

    def in_hand(self, name: str) -> int | None:
        """The number of the record that it works on."""
        mine = [line for line in self.team.diary.told() if line["who"] == name]
        return int(mine[-1]["number"]) if mine and mine[-1]["what"] == "began" else None

    def begun_by_another(self, number: int, name: str) -> list[dict[str, Any]]:
        """When somebody else was given a record."""
        return [line for line in self.begun() if line["number"] == number and line["who"] != name]

    # -- the group

    def _configure(self, operation: AlterConfigOpType) -> None:
        wanted = self.configuration.items()
        entries = [ConfigEntry(name, value, incremental_operation=operation) for name, value in wanted]
        group = ConfigResource(ResourceType.GROUP, self.group, incremental_configs=entries)
        try:
            for answer in self.topic.admin.incremental_alter_configs([group], request_timeout=ANSWER).values():
                answer.result(ANSWER + 1)
        except KafkaException as error:
            raise DependencyAway(name="kafka", why=str(error)) from error

    def _forget_group(self) -> None:
        """A member that was killed is counted as one until its session is over."""
        with suppress(NotThere):  # then Kafka keeps an empty group's name, and nothing else
            until(self._is_gone, f"the share group {self.group} to be empty", EMPTY)
        self._configure(AlterConfigOpType.DELETE)

    def _is_gone(self) -> bool:
        (answer,) = self.topic.admin.delete_consumer_groups([self.group], request_timeout=ANSWER).values()
        try:
            answer.result(ANSWER + 1)
        except KafkaException as error:
            return bool(error.args[0].name() == "GROUP_ID_NOT_FOUND")
        return True


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A member was lost with a record in its hand."""

    #: Seconds until another was given that record.
    back_after: float
    #: How often it was handed out, by Kafka's own count.
    deliveries: int


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What became of the records of one partition when one of two members was paused, and later killed."""

    #: Seconds for which a record was its member's.
    lock: float
    records: int
    done: int
    #: How many different records each member was given.
    given: dict[str, int]
    #: Acknowledgements that came after the lock had run out.
    refused: int
    paused: Loss
    killed: Loss

    def _repr_html_(self) -> str:
        import pandas as pd

        rows = {"paused": asdict(self.paused), "killed": asdict(self.killed)}
        rest = f"{self.done} of {self.records} records are done; given to each: {self.given}; refused: {self.refused}"
        return f"{pd.DataFrame(rows).T.round(1).to_html()}<div>{html.escape(rest)}</div>"


def lose_a_sharer(lab: Lab, lock: float = LOCK) -> Shared:
    """Let two members share a partition; pause one, let it go on, and kill it, each time with a record in its hand.

    `lock`: seconds for which a record is its member's. Raises DependencyAway when Kafka does not allow it.
    """
    victim, other = NAMES[:2]
    with Sharers(lab.settings, lock=lock) as sharers:
        _post(sharers, 0, RECORDS)
        until(lambda: bool(sharers.begun(other)), f"{other} to be at work")
        paused = _lose(sharers, victim, signal.SIGSTOP)
        sharers.team.signal(victim, signal.SIGCONT)
        until(lambda: bool(sharers.refused()), "the late acknowledgement to be refused")
        _post(sharers, RECORDS, MORE)
        killed = _lose(sharers, victim, signal.SIGKILL)
        until(lambda: len(sharers.ended()) == RECORDS + MORE, "all records to be done")
        given = Counter(who for who, _ in {(line["who"], line["number"]) for line in sharers.begun()})
        done, refused = len(sharers.ended()), len(sharers.refused())
    fates = {"paused": paused, "killed": killed}
    return Shared(
        lock=lock, records=RECORDS + MORE, done=done, given=dict(sorted(given.items())), refused=refused, **fates
    )


def _post(sharers: Sharers, first: int, count: int) -> None:
    sharers.topic.post([(0, value_of(number, WORK)) for number in range(first, first + count)])


def _lose(sharers: Sharers, name: str, how: signal.Signals) -> Loss:
    """Send a signal to a member when it has a record in hand, and wait until another is given that record."""
    until(lambda: sharers.in_hand(name) is not None, f"{name} to be at work")
    sharers.team.signal(name, how)
    lost_at, number = time.time(), sharers.in_hand(name)
    if number is None:  # it was done just before the signal came: the next one will do
        sharers.team.signal(name, signal.SIGCONT)
        return _lose(sharers, name, how)
    until(lambda: bool(sharers.begun_by_another(number, name)), f"another to be given what {name} had in hand")
    again = sharers.begun_by_another(number, name)[0]
    return Loss(back_after=again["at"] - lost_at, deliveries=again["delivery"])
