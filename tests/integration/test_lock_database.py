"""The fault database-down takes a PostgreSQL away while others write."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.postgres import Postgres, fresh_database
from tests.waiting import until
from vidlab.lab.tampering import ORDER, lock_database
from vidlab.models import metadata
from vidlab.settings import Settings
from vidlab.store.engine import Database
from vidlab.store.migrate import migrate

#: As our writers go, with time in between for the lock to come; they meet no row, and so not each other.
STATEMENTS = ("UPDATE videos SET title = title", "SELECT pg_sleep(0.02)", "UPDATE events SET detail = detail")
OTHERWISE = STATEMENTS[::-1]
NOTICED = 1.3  # seconds; PostgreSQL looks for deadlocks after one (deadlock_timeout)
REST = 0.2  # seconds between two transactions of who goes the other way


@pytest.fixture
def settings(postgres: Postgres) -> Iterator[Settings]:
    with fresh_database(postgres, "lock_database") as url:
        given = Settings(database_url=url)
        database = Database(given)
        migrate(database)
        database.close()
        yield given


class Writer(threading.Thread):
    """Writes until it is stopped, and keeps what went wrong."""

    def __init__(self, url: str, statements: tuple[str, ...], rest: float) -> None:
        super().__init__()
        self.url = url.replace("+psycopg", "")
        self.statements = statements
        self.rest = rest
        self.stop = threading.Event()
        self.written: list[float] = []
        self.errors: list[str] = []

    def run(self) -> None:
        with psycopg.connect(self.url) as connection:
            while not self.stop.wait(self.rest):
                try:
                    for statement in self.statements:
                        connection.execute(statement.encode())
                    connection.commit()
                    self.written.append(time.monotonic())
                except psycopg.Error as error:
                    self.errors.append(str(error))
                    connection.rollback()


def test_all_tables_are_in_the_order() -> None:
    assert sorted(ORDER) == sorted(metadata.tables)


def test_busy_writers_are_held_up_and_neither_they_nor_the_lock_meet_a_deadlock(settings: Settings) -> None:
    url = settings.database_url
    writers = [Writer(url, STATEMENTS, 0.0) for _ in range(4)] + [Writer(url, OTHERWISE, REST)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(5):
            lock = lock_database(settings)
            since = time.monotonic()
            time.sleep(0.3)
            late = [at for writer in writers for at in writer.written if at > since + 0.1]
            lock.release()
            assert late == []
            time.sleep(0.1)
    finally:
        for writer in writers:
            writer.stop.set()
            writer.join()
    assert [error for writer in writers for error in writer.errors] == []
    assert all(writer.written for writer in writers)


def test_who_holds_a_later_table_gets_the_earlier_one_and_no_deadlock(settings: Settings) -> None:
    url = settings.database_url.replace("+psycopg", "")
    with psycopg.connect(url) as writer, psycopg.connect(url, autocommit=True) as asking, ThreadPoolExecutor(1) as pool:
        writer.execute(OTHERWISE[0].encode())
        locking = pool.submit(lock_database, settings)
        waits = b"SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
        until(
            lambda: asking.execute(waits).fetchone() is not None,
            "the lock has the other tables, and waits for this one",
        )
        # By now PostgreSQL has seen that the lock's wait was no deadlock, and would find the writer's to be one.
        time.sleep(NOTICED)
        writer.execute(STATEMENTS[0].encode())  # one of the two must give way
        writer.commit()
        locking.result(30).release()
