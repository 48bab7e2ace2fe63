"""Make what the pipeline stands on: the tables and their columns, the topics, the container."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # it is public all the same

from vidlab.errors import DependencyAway
from vidlab.profiles import PARTITIONS, TOPICS, dead_letter_topic
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.store.engine import Database
from vidlab.store.migrate import migrate

log = structlog.get_logger()

PATIENCE = 60.0  # seconds in which each server must answer
PAUSE = 0.2  # seconds between tries
T = TypeVar("T")

ANSWER = 5.0  # seconds for one answer of Kafka


def prepare(settings: Settings) -> None:
    """Make all that is missing; what is there stays as it is. Raises DependencyAway after a minute."""
    added = _until_there(lambda: migrate(Database(settings)))
    log.info("tables are there", added_columns=added)
    _until_there(Storage(settings).ensure_container)
    log.info("container is there", container=settings.container)
    made = _until_there(lambda: make_topics(settings))
    log.info("topics are there", made=made)


#: Those that the pipeline stands on.
NAMES = (*TOPICS, *(dead_letter_topic(topic) for topic in TOPICS))


def make_topics(settings: Settings, names: Sequence[str] = NAMES) -> list[str]:
    """Create the topics that are missing; gives their names. Raises DependencyAway."""
    admin = AdminClient(dict(settings.kafka_client), logger=_silent())
    try:
        wanted = [NewTopic(name, num_partitions=PARTITIONS, replication_factor=1) for name in names]
        answers = admin.create_topics(wanted, request_timeout=ANSWER, operation_timeout=ANSWER)
        return [name for name, answer in answers.items() if _was_made(answer.exception(ANSWER + 1))]
    except (KafkaException, TimeoutError) as error:
        raise DependencyAway(name="kafka", why=str(error)) from error


def _was_made(error: BaseException | None) -> bool:
    if error is None:
        return True
    if isinstance(error, KafkaException) and error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
        return False
    raise error


def _silent() -> logging.Logger:
    logger = logging.getLogger("librdkafka")
    logger.setLevel(logging.CRITICAL)
    return logger


def _until_there(make: Callable[[], T]) -> T:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return make()
        except DependencyAway as error:
            if time.monotonic() > deadline:
                raise
            log.info("waiting", reason=str(error))
            time.sleep(PAUSE)
