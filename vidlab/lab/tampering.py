"""What faults do to the database, to Kafka and to the queues: blocking calls, each for a thread of its own."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from vidlab.bus import Bus
from vidlab.errors import CannotDo, DependencyAway
from vidlab.jobs import Queues
from vidlab.models import Job, State, metadata
from vidlab.profiles import MASTER, Topic
from vidlab.settings import Settings
from vidlab.store import Store
from vidlab.store.engine import BUSY_TIMEOUT, Database

LOCK_WAIT = 300  # milliseconds
ORDER = ("videos", "jobs", "spans", "outbox", "events")


@dataclass(frozen=True)
class Lock:
    """A database that nobody else can write."""

    words: str
    release: Callable[[], None]


def lock_database(settings: Settings) -> Lock:
    """Take the database away: SQLite's file and PostgreSQL's tables are locked, never moved. Raises DependencyAway."""
    url = make_url(settings.database)
    return _lock_sqlite(url.database or "") if url.get_backend_name() == "sqlite" else _lock_tables(settings)


def _lock_sqlite(path: str) -> Lock:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        connection.close()
        raise DependencyAway(name="database", why=str(error)) from error
    return Lock("the database file is locked", connection.close)  # what is closed without a commit is rolled back


def _lock_tables(settings: Settings) -> Lock:
    database = Database(settings)
    connection = database.engine.connect()

    def release() -> None:
        connection.close()
        database.close()

    try:
        _lock_all(connection)
    except OperationalError as error:
        release()
        raise DependencyAway(name="database", why=str(error.orig)) from error
    return Lock("all tables of the database are locked", release)


def _lock_all(connection: Connection) -> None:
    """Tables are locked one after the other, in the order in which most writers want them: a change, then its event.

    For those that want them otherwise none is waited for as long as PostgreSQL takes to see a deadlock, which is a
    second: it is begun anew instead. Raises OperationalError when it cannot be had for long.
    """
    names = ", ".join(sorted(metadata.tables, key=ORDER.index))
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_WAIT}"))
            connection.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
        except OperationalError:
            connection.rollback()
            if time.monotonic() > deadline:
                raise
        else:
            return


# -- Kafka


def message_twice(settings: Settings, video_hash: str) -> str:
    """Send the newest message again, or the newest of one video: byte for byte. Raises CannotDo."""
    store = Store(settings)
    try:
        row = store.last_sent(video_hash or None)
    finally:
        store.close()
    if row is None:
        raise CannotDo(name=video_hash or "a message", done="sent twice", why="none was sent yet")
    Bus(settings).publish(row.topic, row.key, row.payload)
    return f"the message about {row.key} went to {row.topic} once more"


def not_json(settings: Settings, _target: str) -> str:
    """Raises DependencyAway."""
    Bus(settings).publish(Topic.PROCESSING, "not-json", b"\xff{this is not JSON")
    return f"a message that is not JSON went to {Topic.PROCESSING}"


def unknown_version(settings: Settings, _target: str) -> str:
    """Raises DependencyAway."""
    Bus(settings).publish(Topic.PROCESSING, "version", json.dumps({"version": 99, "video_hash": "0" * 32}))
    return f"a message of version 99 went to {Topic.PROCESSING}"


# -- Celery


def task_twice(settings: Settings, video_hash: str) -> str:
    """Put a task into its queue again: one that runs if there is one. Raises CannotDo, DependencyAway."""
    store = Store(settings)
    try:
        job = _newest(store, video_hash)
    finally:
        store.close()
    if job is None:
        raise CannotDo(name=video_hash or "a task", done="sent twice", why="no job ran yet")
    Queues(settings).send(job.video_hash, job.stage)
    return f"{job.stage} of {job.video_hash} was put into its queue once more"


def _newest(store: Store, video_hash: str) -> Job | None:
    """The newest job that runs, else one that is queued, else one that is done."""
    for state in (State.RUNNING, State.QUEUED, State.DONE):
        found = [job for job in store.in_state(state) if job.stage != MASTER and video_hash in ("", job.video_hash)]
        if found:
            return found[-1]
    return None


#: Fault -> what is done once; gives what was done, in words.
ONCE: Mapping[str, Callable[[Settings, str], str]] = MappingProxyType(
    {
        "message-twice": message_twice,
        "message-not-json": not_json,
        "message-version": unknown_version,
        "task-twice": task_twice,
    }
)
