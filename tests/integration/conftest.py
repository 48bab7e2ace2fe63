"""Real servers that the integration tests share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import redis

from tests.azurite import Azurite, running_azurite
from tests.lab import RunningLab
from tests.servers import free_ports, running
from vidlab.settings import Settings
from vidlab.storage import Storage

_numbers = itertools.count()


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A real Azurite. Who stops it starts it again."""
    with running_azurite(tmp_path_factory.mktemp("azurite")) as started:
        yield started


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


@pytest.fixture(scope="session")
def kafka(lab: RunningLab) -> str:
    """The address of the lab's Kafka: a second one would cost the session a JVM. Who writes to it has its own topic."""
    return lab.settings.kafka


@pytest.fixture(scope="session")
def redis_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real Redis that no worker of a lab reads."""
    ports = free_ports()
    with running("redis", tmp_path_factory.mktemp("redis"), ports):
        yield f"redis://127.0.0.1:{ports['redis']}/0"


@pytest.fixture
def broker(redis_of_the_session: str) -> Iterator[redis.Redis]:
    """That Redis, empty."""
    with redis.Redis.from_url(redis_of_the_session) as client:
        client.flushall()
        yield client


@pytest.fixture
def queue_settings(broker: redis.Redis, redis_of_the_session: str, settings: Settings) -> Settings:
    """The test's settings, with a Redis that is empty."""
    return settings.model_copy(update={"redis_url": redis_of_the_session})


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SQLite that is locked is not waited for, as it would be for 10 s. To be asked for before `store`."""
    monkeypatch.setattr("vidlab.store.engine.BUSY_TIMEOUT", 0)
