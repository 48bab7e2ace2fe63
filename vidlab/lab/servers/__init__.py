"""The servers that a lab starts: real ones, bound to 127.0.0.1, each with a folder of its own in the state folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from vidlab.lab.servers.azurite import azurite_command
from vidlab.lab.servers.clamd import clamd_command
from vidlab.lab.servers.command import ServerCommand
from vidlab.lab.servers.kafka import kafka_command
from vidlab.lab.servers.redis import redis_command
from vidlab.settings import Settings

__all__ = ["SERVERS", "ServerCommand", "server_command"]

#: By name; the ports are those of the same names, and `kafka-controller`.
SERVERS: dict[str, Callable[[Path, Mapping[str, int], Settings], ServerCommand]] = {
    "kafka": kafka_command,
    "redis": redis_command,
    "azurite": azurite_command,
    "clamd": clamd_command,
}


def server_command(name: str, state: Path, ports: Mapping[str, int], settings: Settings) -> ServerCommand:
    """Prepare a server's folder in the state folder, and tell how to start it there; its data is kept.

    It may be called again and again, but not while that server runs. Only a Kafka's first time takes a second (it is
    formatted). Raises PartMissing, CommandFailed.
    """
    return SERVERS[name](state.absolute(), ports, settings)
