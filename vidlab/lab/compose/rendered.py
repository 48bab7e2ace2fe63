"""Writes docker-compose.yml from the table of profiles and the files in `services/`: `make compose`.

The broker's settings are those of the local lab, a pair of services comes from each stage; the rest stands in
services/compose/docker-compose.yml as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vidlab.lab.servers.command import SERVICES
from vidlab.profiles import PROFILES, Profile, stages

TARGET = SERVICES.parent / "docker-compose.yml"
FRAME = SERVICES / "compose" / "docker-compose.yml"
STAGE = SERVICES / "compose" / "stage.yml"
BROKER = SERVICES / "kafka" / "server.properties"
INDENT = " " * 6

#: What is otherwise in a container: one listener for containers, one for the host.
CONTAINED = {
    "listeners": "PLAINTEXT://:9092,HOST://:29092,CONTROLLER://:9093",
    "advertised.listeners": "PLAINTEXT://kafka:9092,HOST://127.0.0.1:${KAFKA_PORT:-29092}",
    "controller.quorum.bootstrap.servers": "",
    "log.dirs": "/var/lib/kafka/data",
}
ADDED = {
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.quorum.voters": "1@localhost:9093",
}


def rendered(profiles: Sequence[Profile] = PROFILES) -> str:
    """The whole file."""
    pair = STAGE.read_text()
    pairs = "".join(pair.replace("@NAME@", stage.name) for stage in stages(tuple(profiles)))
    broker = "\n".join(INDENT + line for line in _broker())
    return FRAME.read_text().replace("@KAFKA@", broker).replace("@STAGES@\n", pairs)


def _broker() -> Iterator[str]:
    """The local lab's server.properties as the environment of Kafka's own image."""
    for line in BROKER.read_text().splitlines()[1:]:  # the first says who fills it in
        name, sign, value = line.partition("=")
        value = CONTAINED.get(name, value)
        if not sign or line.startswith("#"):
            if line and not line.startswith("# In the folder"):
                yield line
        elif value:
            yield _variable(name, value)
        if name == "log.dirs":
            yield from (_variable(*pair) for pair in ADDED.items())


def _variable(name: str, value: str) -> str:
    return f'KAFKA_{name.upper().replace(".", "_")}: "{value}"'


def main() -> None:
    """Write the file anew."""
    Path(TARGET).write_text(rendered())


if __name__ == "__main__":
    main()
