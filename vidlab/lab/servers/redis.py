"""Redis: the broker of the Celery queues. Its data outlives `down`; when it is lost, the keeper sends again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vidlab.lab.servers.command import SERVICES, ServerCommand, make_folder, write_configuration
from vidlab.programs import find
from vidlab.settings import Settings


def redis_command(state: Path, ports: Mapping[str, int], settings: Settings) -> ServerCommand:
    """A Redis that keeps its data in the state folder. Raises PartMissing."""
    home = make_folder(state / "redis")
    source = SERVICES / "redis" / "redis.conf"
    configuration = write_configuration(source, home / "redis.conf", port=ports["redis"])
    return ServerCommand(argv=[str(find("redis", settings).path), configuration.name], cwd=home)
