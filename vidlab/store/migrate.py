"""Bring a database up to date: Alembic's revisions, then a done column for each profile that is new.

The profiles' columns are not in the revisions, because they follow from a table that people edit: adding 240p must
not need a migration written by hand.
"""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, func, inspect, select, text, update
from sqlalchemy.schema import CreateColumn

from vidlab.models import Status, done_column, videos
from vidlab.profiles import PROFILES
from vidlab.store.engine import Database

LOCK = 0x71D1AB  # any number that no one else locks

#: These videos have their rows already: a profile that comes later does not hold them up.
PAST_FAN_OUT = (Status.PROCESSING, Status.COMPLETED, Status.FAILED, Status.DELETING)


def migrate(database: Database) -> list[str]:
    """Upgrade to the newest revision; gives the names of the done columns that were added. Safe to run again."""
    with database.write() as connection:
        if connection.dialect.name == "postgresql":  # several may come at once; on SQLite they wait for each other
            connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
        config = Config()
        config.set_main_option("script_location", str(files("vidlab.migrations")))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return _add_done_columns(connection)


def _add_done_columns(connection: Connection) -> list[str]:
    there = {column["name"] for column in inspect(connection).get_columns("videos")}
    missing = [profile for profile in PROFILES if profile.column not in there]
    for profile in missing:
        ddl = CreateColumn(done_column(profile)).compile(dialect=connection.dialect)
        connection.execute(text(f"ALTER TABLE videos ADD COLUMN {ddl}"))
        past = update(videos).where(videos.c.status.in_(PAST_FAN_OUT))
        connection.execute(past.values({profile.column: True}))
    return [profile.column for profile in missing]
