"""An observer: a consumer in a thread, with a group of its own, that notes what it reads and does nothing else.

It is added to a running lab and taken away again, and no producer knows of it. Nobody waits for it, because a video's
jobs are its rows, and it has none.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import Message as Record

from vidlab.bus import consumer_config
from vidlab.errors import DependencyAway
from vidlab.face.waiting import until
from vidlab.lessons.groups import PREFIX, Groups, quiet
from vidlab.profiles import Topic
from vidlab.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

POLL = 0.05  # seconds
JOINED = 30.0  # seconds in which Kafka must have given it its partitions

#: A lesson does not wait long to be told of a rebalance, nor for members to leave: seen with librdkafka 2.16.1, a
#: `cooperative-sticky` member of a group in which another had no partition was missed only when its session was over.
HASTY = {"heartbeat.interval.ms": 300, "partition.assignment.strategy": "range"}


@dataclass(frozen=True)
class Note:
    """A message that was read."""

    key: str
    partition: int
    offset: int
    #: When the producer sent it.
    posted_at: datetime
    #: When the observer saw it.
    seen_at: datetime


class Observer:
    """A group with one member. As a context manager it has joined when the block begins; then group and thread go."""

    def __init__(
        self,
        settings: Settings,
        topic: str = Topic.PROCESSING,
        *,
        group: str | None = None,
        name: str = "observer",
    ) -> None:
        """`group`: join one that somebody else removes; without it the observer has one of its own."""
        self.groups = Groups(settings)
        self.topic = topic
        self.group = group or f"{PREFIX}observer-{secrets.token_hex(4)}"
        self.notes: list[Note] = []
        #: When Kafka had given it its partitions.
        self.joined_at: datetime | None = None
        self._own = group is None
        self._committed = 0  # notes
        told = consumer_config(settings.model_copy(update={"process": name}), self.group)
        self._config = told | HASTY
        self._over, self._rewind = threading.Event(), threading.Event()
        self._trouble: KafkaException | None = None
        self._thread = threading.Thread(target=self._run, name=self.group, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.wait_for(lambda: self.joined_at is not None, f"{self.group} to have its partitions", JOINED)
        except BaseException:  # an interrupt too: who does not get in must not stay
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        if self._own:
            self.groups.forget(self.group)

    # -- what it noted

    def __repr__(self) -> str:
        return f"{self.group} on {self.topic}: {len(self)} messages read"

    def __len__(self) -> int:
        return len(self.notes)

    @property
    def table(self) -> pd.DataFrame:
        """Every message that it has read, in the order in which it did."""
        import pandas as pd

        return pd.DataFrame([asdict(note) for note in self.notes], columns=list(Note.__dataclass_fields__))

    def wait_for(self, condition: Callable[[], bool], what: str, timeout: float = 30.0) -> float:
        """Wait until it is so, and give the seconds. Raises NotThere, and DependencyAway when it can read no more."""

        def met() -> bool:
            if self._trouble:
                raise DependencyAway(name="kafka", why=str(self._trouble))
            return condition()

        return until(met, what, timeout)

    def wait_for_count(self, count: int, timeout: float = 30.0) -> float:
        """Wait until it has read so many messages, and give the seconds."""
        return self.wait_for(lambda: len(self.notes) >= count, f"{count} messages in {self.group}", timeout)

    def replay(self) -> None:
        """Forget what it noted, and read everything again from the beginning."""
        self._rewind.set()
        self.wait_for(lambda: not self._rewind.is_set(), f"{self.group} to go back")

    # -- the thread

    def _run(self) -> None:
        consumer = Consumer(self._config, logger=quiet)
        try:
            consumer.subscribe([self.topic], on_assign=self._on_assign)
            while not self._over.is_set():
                self._go_back(consumer)
                self._take(consumer, consumer.poll(POLL))
            self._commit(consumer)
        except KafkaException as error:
            self._trouble = error
        finally:
            consumer.close()

    def _on_assign(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self.joined_at = self.joined_at or datetime.now(UTC)

    def _go_back(self, consumer: Consumer) -> None:
        if not self._rewind.is_set():
            return
        for place in consumer.assignment():
            first, _ = consumer.get_watermark_offsets(place, timeout=JOINED)
            consumer.seek(TopicPartition(place.topic, place.partition, first))
        self.notes.clear()
        self._committed = 0
        self._rewind.clear()

    def _take(self, consumer: Consumer, record: Record | None) -> None:
        if record is None:
            self._commit(consumer)
        elif error := record.error():
            if error.fatal():
                raise KafkaException(error)
        else:
            self.notes.append(_note(record))

    def _commit(self, consumer: Consumer) -> None:
        """What was noted needs not be read again. It is told when nothing is left to read, not for each message."""
        places: dict[tuple[str, int], Any] = {}
        for note in self.notes[self._committed :]:
            places[self.topic, note.partition] = TopicPartition(self.topic, note.partition, note.offset + 1)
        if places:
            consumer.commit(offsets=list(places.values()), asynchronous=True)
        self._committed = len(self.notes)


def _note(record: Record) -> Note:
    _, milliseconds = record.timestamp()
    return Note(
        key=(record.key() or b"").decode(errors="replace"),
        partition=record.partition() or 0,
        offset=record.offset() or 0,
        posted_at=datetime.fromtimestamp(milliseconds / 1000, UTC),
        seen_at=datetime.now(UTC),
    )
