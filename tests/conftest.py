"""What several kinds of tests share: databases of both sorts, and the lab of the session."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog

from tests.lanes import pytest_collection_finish, pytest_collection_modifyitems
from tests.leftovers import files_left, own_session, processes_left
from tests.postgres import Postgres, fresh_database, running_postgres
from tests.skips import pytest_make_collect_report, pytest_runtest_makereport
from vidlab.settings import Settings
from vidlab.store import Store
from vidlab.store.migrate import migrate

if TYPE_CHECKING:
    from tests.lab import RunningLab

#: The lab of the tests does not wait as long between two attempts as people's labs do.
HASTY = {"VIDLAB_RETRY_SECONDS": "0.5"}

HOOKS = (
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_make_collect_report,
    pytest_runtest_makereport,
)

_numbers = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def state_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Who names no state folder must not meet the lab that runs in the project's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDLAB_STATE", str(tmp_path_factory.mktemp("nobody")))
        yield


@pytest.fixture(autouse=True)
def logs_by_default() -> None:
    """A command that was run in a test has set up the logs of the whole process."""
    structlog.reset_defaults()


@pytest.fixture(scope="session", autouse=True)
def nothing_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fails when a process or a temporary file of the session is left at its end."""
    tmp_path_factory.getbasetemp()  # made first: pytest itself keeps there what belongs to tests that failed
    with own_session() as folder:
        yield
        assert processes_left(folder.name) == []
        assert files_left(folder) == []


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL. Who stops it starts it again."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the session's clips are made."""
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, clips: Path) -> Iterator[RunningLab]:
    """The lab of the session, on SQLite. Who breaks something in it mends it."""
    from tests.lab import running_lab  # unit tests do without what it imports

    with running_lab(tmp_path_factory.mktemp("lab"), clips, **HASTY) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, once of each sort."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'vidlab.db'}"
        return
    with fresh_database(request.getfixturevalue("postgres"), f"test_{next(_numbers)}") as url:
        yield url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with a database of their own; no other server is meant to be reached."""
    return Settings(state=tmp_path, process="test.1", database_url=database_url, kafka="127.0.0.1:1")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """A store whose tables are there."""
    made = Store(settings)
    migrate(made.database)
    yield made
    made.close()
