"""One message that is not JSON: a reader that tries again until it works never gets past it; the lab parks it."""

from __future__ import annotations

import html
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from vidlab.errors import NotThere
from vidlab.face import Lab
from vidlab.face.waiting import until
from vidlab.lessons.handing_on import message, plan_of, reader, told, wait
from vidlab.lessons.keyed_topic import read_all
from vidlab.lessons.own_topic import OwnTopic
from vidlab.observe.kafka import lag
from vidlab.profiles import Topic, dead_letter_topic

if TYPE_CHECKING:
    import pandas as pd

NOT_JSON = "this is not JSON"
TRIES = 1.0  # seconds for which a reader may try
READ = 30.0  # seconds in which the lab's groups must have read all


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """A reader met a message that it cannot read, and was stopped after a while."""

    #: The offset of that message, and how often the reader took it.
    at: int
    taken: int
    #: Seconds from the first try to the end.
    seconds: float
    #: How many messages came to the queue, and how many stand behind that one.
    handed_on: int
    behind: int

    def __repr__(self) -> str:
        tries = f"offset {self.at} was taken {self.taken} times in {self.seconds:.1f} s"
        return f"{self.handed_on} messages were handed on, {tries}, and {self.behind} stand behind it"

    def _repr_html_(self) -> str:
        return f"<div>{html.escape(repr(self))}</div>"


def blocked(lab: Lab, *, messages: int = 12, at: int = 4) -> Blocked:
    """Let the careful reader meet a message that is not JSON, at that offset of a topic of its own."""
    with OwnTopic(lab.settings, 1) as topic, TemporaryDirectory() as folder:
        topic.post([(0, NOT_JSON if number == at else message(number)) for number in range(messages)])
        queue = Path(folder) / "queue"
        with reader(queue, plan_of(topic, careful=True)) as process:
            wait(process, queue, lambda: at in told(queue, "took"), "the reader to come to it")
            began = time.monotonic()
            with suppress(NotThere):  # so it is: it stays where it is
                until(lambda: messages - 1 in told(queue, "took"), "the reader to go on", TRIES)
            seconds = time.monotonic() - began
        handed_on = len(set(told(queue, "handed on")))
        behind = messages - 1 - max(told(queue, "took"))
        return Blocked(at=at, taken=told(queue, "took").count(at), seconds=seconds, handed_on=handed_on, behind=behind)


def parked(lab: Lab) -> pd.DataFrame:
    """The newest message of each group on the dead letter topic: where it stood, and why it is there.

    Waits until all groups have read what stands on the lab's topic. Raises NotThere, DependencyAway.
    """
    import pandas as pd

    until(lambda: not _behind(lab), "all groups to have read everything", READ)
    records = read_all(lab.settings, dead_letter_topic(Topic.PROCESSING))
    newest = {row["group"]: row for row in map(_headers, sorted(records, key=lambda record: record.timestamp()[1]))}
    return pd.DataFrame([newest[group] for group in sorted(newest)]).set_index("group")


def _behind(lab: Lab) -> int:
    return sum(row.lag for row in lag(lab.settings) if row.topic == Topic.PROCESSING)


def _headers(record: Any) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers() or []}
