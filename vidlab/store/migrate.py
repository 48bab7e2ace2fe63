"""Bring a database up to date: Alembic's revisions, then a done column for each profile that is new.

The profiles' columns are not in the revisions, because they follow from a table that people edit: adding 240p must
not need a migration written by hand.
"""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, text, update
from sqlalchemy.schema import CreateColumn

from vidlab.models import Status, done_column, videos
from vidlab.profiles import PROFILES
from vidlab.store.engine import Database

#: These videos have their rows already: a profile that comes later does not hold them up.
PAST_FAN_OUT = (Status.PROCESSING, Status.COMPLETED, Status.FAILED, Status.DELETING)


def migrate(database: Database) -> list[str]:
    """Upgrade to the newest revision; gives the names of the done columns that were added. Safe to run again."""
    with database.write() as connection:
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
