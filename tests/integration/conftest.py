"""Real servers that the integration tests share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.azurite import Azurite, running_azurite
from vidlab.settings import Settings
from vidlab.storage import Storage

_numbers = itertools.count()


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A real Azurite. Who stops it starts it again."""
    with running_azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.fixture
def blob_settings(azurite: Azurite, settings: Settings) -> Settings:
    """The test's settings, with a container of its own."""
    return settings.model_copy(
        update={"storage": azurite.settings().storage, "container": f"test-{next(_numbers)}", "process": "api"}
    )


@pytest.fixture
def storage(azurite: Azurite) -> Iterator[Storage]:
    """An empty container."""
    made = Storage(azurite.settings(container=f"test-{next(_numbers)}"))
    made.ensure_container()
    yield made
    made.close()
