"""Connections and transactions, on SQLite and PostgreSQL alike.

On SQLite every writing transaction begins IMMEDIATE: one that begins deferred and writes later fails at once when
another has written in between, whatever the busy time-out.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

from vidlab.errors import DependencyAway
from vidlab.settings import Settings

BUSY_TIMEOUT = 10  # seconds; how long a writer waits for another
WAL_PAUSE = 0.02  # seconds between tries to switch a file to WAL
ANSWER_TIMEOUT = 15  # seconds for a statement
CONNECT_TIMEOUT = 5  # seconds
POOL = 20  # connections kept; the API's threads share them
OVERFLOW = 30  # connections beyond, closed after use
#: PostgreSQL's code for a table that is not there: the lab is still starting. SQLite says it like any other trouble.
NO_TABLE = "42P01"


#: Where a connection keeps the videos that its transaction has changed.
CHANGED = "vidlab.changed"

OnChange = Callable[[Collection[str]], None]


def changed(connection: Connection, video_hash: str) -> None:
    """Note that this transaction changes what is shown of a video."""
    connection.info[CHANGED].add(video_hash)


class Database:
    """One process's connections. Raises DependencyAway when the server or the file does not answer."""

    def __init__(self, settings: Settings, on_change: OnChange | None = None) -> None:
        """`on_change` is told, after each commit, of the videos that `changed` named in it."""
        self.settings = settings
        self.on_change = on_change

    @cached_property
    def engine(self) -> Engine:
        """Made on first use, so that a forked worker has connections of its own."""
        url = self.settings.database
        return _sqlite(url) if url.startswith("sqlite") else _postgresql(url)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that will write. No input or output belongs inside."""
        names: set[str] = set()
        with _told(), self.engine.connect().execution_options(writes=True) as connection:
            connection.info[CHANGED] = names
            with connection.begin():
                yield connection
        if names and self.on_change:
            self.on_change(names)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with _told(), self.engine.connect() as connection:
            yield connection

    def ping(self) -> None:
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        if "engine" in self.__dict__:
            self.engine.dispose()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise DependencyAway(name="database", why=str(error.orig).strip()) from error
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != NO_TABLE:
            raise  # a mistake of ours
        why = f"it is not set up yet: {error.orig}".splitlines()[0]
        raise DependencyAway(name="database", why=why) from error


def _postgresql(url: str) -> Engine:
    url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return create_engine(
        url,
        pool_size=POOL,
        max_overflow=OVERFLOW,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT,
            # A server that hangs must not hang us: no statement of ours takes long, and no answer is waited for longer.
            "options": f"-c statement_timeout={ANSWER_TIMEOUT * 1000}",
            "tcp_user_timeout": ANSWER_TIMEOUT * 1000,
            "keepalives_idle": ANSWER_TIMEOUT,
        },
    )


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url, pool_size=POOL, max_overflow=OVERFLOW, connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours, see below
    for pragma in (f"busy_timeout={BUSY_TIMEOUT * 1000}", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    _to_wal(connection)


def _to_wal(connection: Any) -> None:
    """Switch the file to WAL. Of several that switch a new file at once all but one are refused, without a wait."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(WAL_PAUSE)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
