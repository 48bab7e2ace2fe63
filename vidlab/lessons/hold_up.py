"""One long task among short ones: who waits for it when the consumer works itself, when it hands over, and when a
share group shares the partition?
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from vidlab.bus import consumer_config
from vidlab.face import Lab
from vidlab.face.waiting import until
from vidlab.lessons.groups import quiet
from vidlab.lessons.own_topic import OwnTopic
from vidlab.lessons.sharer import number_and_work, value_of
from vidlab.lessons.sharers import DEFAULT_LOCK, DEFAULT_SESSION, Sharers
from vidlab.naive.crew import Crew
from vidlab.naive.habits import Habits

if TYPE_CHECKING:
    import pandas as pd

#: Seconds of work. One worker does all the short ones while the long one lasts, on a busy machine too.
LONG, SHORT = 1.5, 0.02
POLL = 0.1  # seconds

#: (partition, seconds of work) of each message: a long one, then short ones, half of them behind it.
MESSAGES: tuple[tuple[int, float], ...] = ((0, LONG), *((number % 2, SHORT) for number in range(12)))
FIRST = -1  # the number of a message that has no work: whoever has read it is there


@dataclass(frozen=True, kw_only=True)
class Row:
    """A message that was worked on."""

    number: int
    partition: int
    #: How long its work took.
    work: float
    #: Who did it.
    worker: str
    #: Seconds from when it was posted until somebody began.
    waited: float
    #: When that was, in seconds of the clock.
    began_at: float


@dataclass(frozen=True)
class Run:
    """What became of the messages; it draws itself as a table."""

    rows: tuple[Row, ...]

    @property
    def longest(self) -> float:
        """Seconds that a short task waited at most."""
        return max(row.waited for row in self.rows if row.work < LONG)

    @property
    def behind(self) -> int:
        """How many short tasks whoever did the long one began only after it."""
        long = self.rows[0]
        return sum(row.worker == long.worker and row.began_at >= long.began_at + LONG for row in self.rows)

    @property
    def table(self) -> pd.DataFrame:
        import pandas as pd

        frame = pd.DataFrame([asdict(row) for row in self.rows]).set_index("number")
        return frame.drop(columns="began_at").round(2)

    def __repr__(self) -> str:
        return f"{self.behind} short tasks waited for the long one; the longest wait was {self.longest:.1f} s"

    def _repr_html_(self) -> str:
        return f"{self.table.to_html()}<div>{self!r}</div>"


#: Called with the name of who reads, and a message's number.
Handle = Callable[[str, int], None]


def consumer_works(lab: Lab) -> Run:
    """Two consumers, a partition each, that do the work themselves before they read on."""
    begun: dict[int, tuple[str, float]] = {}

    def work(name: str, number: int) -> None:
        begun[number] = (name, time.time())
        time.sleep(MESSAGES[number][1])  # this is the task's work

    with OwnTopic(lab.settings, 2) as topic, _consumers(topic, work):
        posted = _post(topic, lambda: 0 in begun)
        until(lambda: len(begun) == len(MESSAGES), "all messages to be begun")
    return _run(posted, begun)


def hand_over(lab: Lab, habits: Habits) -> Run:
    """The same two consumers put a task into a queue and read on; two workers with those habits do the work."""
    with Crew(lab.settings, habits) as crew, OwnTopic(lab.settings, 2) as topic:
        lock, sent = threading.Lock(), list[int]()

        def send(_name: str, number: int) -> None:
            with lock:  # the crew counts its tasks in the order in which they come
                crew.send([MESSAGES[number][1]])
                sent.append(number)

        with _consumers(topic, send):
            posted = _post(topic, lambda: bool(sent) and crew.task(0).begun > 0)
            until(lambda: len(sent) == len(MESSAGES), "all messages to be handed over")
        crew.until_over()
        begun = {number: (str(task.worker), task.began_at) for number, task in zip(sent, crew.tasks(), strict=True)}
    return _run(posted, begun)


def share_group_works(lab: Lab, partitions: int = 1) -> Run:
    """Two members of a share group do the work themselves; the same messages, on so many partitions, at most two.

    The lock is Kafka's default: it is longer than the long one takes.
    """
    with Sharers(lab.settings, partitions=partitions, lock=DEFAULT_LOCK, session=DEFAULT_SESSION) as sharers:
        posted = _post(sharers.topic, lambda: bool(sharers.begun()))
        until(lambda: len(sharers.ended()) == len(MESSAGES), "all records to be done")
        begun = {line["number"]: (line["who"], line["at"]) for line in reversed(sharers.begun())}
    return _run(posted, begun, partitions)


def table(runs: Mapping[str, Run]) -> pd.DataFrame:
    """Ways beside each other: how many waited for the long one, and how long a short one waited at most."""
    import pandas as pd

    rows = {name: {"waited for the long one": run.behind, "longest wait": run.longest} for name, run in runs.items()}
    return pd.DataFrame.from_dict(rows, orient="index").round(2)


def _post(topic: OwnTopic, long_began: Callable[[], bool]) -> list[float]:
    """Post the long one and, when it has begun, the short ones; give the times."""
    messages = enumerate(_messages(topic.partitions))
    values = [(partition, value_of(number, work)) for number, (partition, work) in messages]
    first = time.time()
    topic.post(values[:1])
    until(long_began, "the long task to begin")
    then = time.time()
    topic.post(values[1:])
    return [first, *[then] * (len(values) - 1)]


def _messages(partitions: int) -> list[tuple[int, float]]:
    """What is posted where there are so many: with one, all stand behind the long one."""
    return [(partition % partitions, work) for partition, work in MESSAGES]


def _run(posted: Sequence[float], begun: Mapping[int, tuple[str, float]], partitions: int = 2) -> Run:
    rows = []
    for number, (partition, work) in enumerate(_messages(partitions)):
        worker, at = begun[number]
        waited = at - posted[number]
        rows.append(Row(number=number, partition=partition, work=work, worker=worker, waited=waited, began_at=at))
    return Run(tuple(rows))


@contextmanager
def _consumers(topic: OwnTopic, handle: Handle) -> Iterator[None]:
    """A consumer for each partition, each in a thread that ends with the block; once inside, all of them read."""
    over, there = threading.Event(), set[int]()
    consumers = [_Consumer(topic, partition, handle, over, there) for partition in range(topic.partitions)]
    for one in consumers:
        one.start()
    try:
        topic.post([(partition, value_of(FIRST, 0.0)) for partition in range(topic.partitions)])
        until(lambda: len(there) == topic.partitions, "the consumers to read")
        yield
    finally:
        over.set()
        for one in consumers:
            one.join()


class _Consumer(threading.Thread):
    """Reads a partition from its beginning on, and handles each message before it reads the next."""

    def __init__(self, topic: OwnTopic, partition: int, handle: Handle, over: threading.Event, there: set[int]) -> None:
        super().__init__(name=f"consumer {partition}")
        self.partition, self.handle, self.over, self.there = partition, handle, over, there
        self.topic = topic

    def run(self) -> None:
        # Told which partition is its own: that spares the lesson a rebalance. No offset is committed, so no group is
        # left.
        with closing(Consumer(consumer_config(self.topic.settings, self.topic.name), logger=quiet)) as consumer:
            consumer.assign([TopicPartition(self.topic.name, self.partition, OFFSET_BEGINNING)])
            while not self.over.is_set():
                record = consumer.poll(POLL)
                if record is not None and not record.error():
                    self._take(number_and_work(record)[0])

    def _take(self, number: int) -> None:
        if number == FIRST:
            self.there.add(self.partition)
        else:
            self.handle(self.name, number)
