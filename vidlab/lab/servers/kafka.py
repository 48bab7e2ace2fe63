"""Apache Kafka: one node in KRaft mode, from jars that the set-up fetched by a lock of hashes."""

from __future__ import annotations

import base64
import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from vidlab.errors import PartMissing
from vidlab.lab import cache
from vidlab.lab.servers.command import SERVICES, ServerCommand, make_folder, write_configuration
from vidlab.lab.shell import run
from vidlab.programs import Found, correct, find, variable
from vidlab.settings import Settings

FILES = SERVICES / "kafka"
LOCK = FILES / "jgo.lock.toml"

#: C1 alone starts with a third less work (2.6 s of CPU, not 3.9), and a lab's messages are few.
JVM = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def kafka_command(state: Path, ports: Mapping[str, int], settings: Settings) -> ServerCommand:
    """Broker and controller in one; a new one is formatted first. Raises PartMissing, CommandFailed."""
    home = make_folder(state / "kafka")
    facts = {"port": ports["kafka"], "controller_port": ports["kafka-controller"]}
    facts["advertised_port"] = ports.get("kafka-advertised", facts["port"])  # a link may stand before it
    configuration = write_configuration(FILES / "server.properties", home / "server.properties", **facts)
    java = [str(find("java", settings).path), *JVM, "-cp", class_path(settings)]
    if not (home / "formatted").exists():
        _format(home, java)
    return ServerCommand(argv=[*java, "kafka.Kafka", configuration.name], cwd=home)


def class_path(settings: Settings) -> str:
    """Kafka's classes, its command line tools among them, and the file that says what they log."""
    return f"{FILES}:{find_kafka(settings).path}/libs/*"


def _format(home: Path, java: list[str]) -> None:
    """Give a new node its identity. One that was interrupted here never ran: it begins again."""
    shutil.rmtree(home / "data", ignore_errors=True)
    tool = ["kafka.tools.StorageTool", "format", "--standalone", "--config", "server.properties"]
    run([*java, *tool, "--cluster-id", _cluster_id()], cwd=home)
    (home / "formatted").touch()


def _cluster_id() -> str:
    """16 bytes in Base64, as Kafka wants them; no first `-`, which would be an option."""
    return base64.urlsafe_b64encode(b"VidLab" + secrets.token_bytes(10)).decode().rstrip("=")


# -- where it is


def cached(settings: Settings) -> Path:
    """Where the set-up puts the locked jars."""
    return settings.cache / f"kafka-{cache.key(LOCK)}"


def find_kafka(settings: Settings) -> Found:
    """The folder that has Kafka's jars in `libs/`. Raises PartMissing."""
    if settings.kafka_home:
        return Found(_checked(Path(settings.kafka_home)), variable("kafka_home"))
    if not cached(settings).exists():
        raise PartMissing(part="kafka", why="its jars were not fetched yet", command="make setup")
    return Found(cached(settings), "cache")


def _checked(home: Path) -> Path:
    name = variable("kafka_home")
    if not _own_jars(home):
        why = f"{name} names {home}, which has no kafka_*.jar in libs/"
        raise PartMissing(part="kafka", why=why, command=correct(name))
    return home.absolute()


def _own_jars(home: Path) -> list[Path]:
    return sorted((home / "libs").glob("kafka_*.jar"))


def kafka_version(found: Found) -> str:
    """It stands in the name of Kafka's own jar: kafka_2.13-4.3.1.jar."""
    match = re.search(r"kafka_[\d.]+-([\d.]+)\.jar", " ".join(path.name for path in _own_jars(found.path)))
    return match[1] if match else ""
