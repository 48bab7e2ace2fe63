"""Connections lead to the database that is meant, and errors of every kind are told as VidLab's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from vidlab.errors import DependencyAway
from vidlab.settings import Settings
from vidlab.store.engine import Database


@pytest.mark.parametrize("name", ["what?uri=true", "what?", "50%41 #1 &a=b", "what? 50%41 #1"])
def test_the_database_is_in_the_labs_folder_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    for words in ("CREATE TABLE one (two INTEGER)", "INSERT INTO one VALUES (2)"):
        database = Database(Settings(state=tmp_path / name))
        with database.write() as connection:
            connection.execute(text(words))
        database.close()
    assert (tmp_path / name / "vidlab.db").stat().st_size > 0
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def test_tables_that_are_not_there_yet_are_waited_for(settings: Settings) -> None:
    """So `vidlab status` does well while a new lab makes them; a mistake in a statement stays one."""
    database = Database(settings)
    with pytest.raises(DependencyAway, match="jobs"), database.read() as connection:
        connection.execute(text("SELECT * FROM jobs"))
    with pytest.raises((DependencyAway, ProgrammingError)) as caught, database.read() as connection:
        connection.execute(text("SELEKT 1"))
    assert database.is_sqlite or caught.type is ProgrammingError
    database.close()
