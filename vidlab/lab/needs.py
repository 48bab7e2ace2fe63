"""The table of what VidLab needs on a machine: where it is, how old it may be, what brings it, what to type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vidlab.errors import CommandFailed, PartMissing, PartTooOld
from vidlab.lab.cache import Report
from vidlab.lab.servers import azurite, clamd, kafka
from vidlab.lab.servers.jars import install_kafka
from vidlab.lab.versions import dotted, is_old, told
from vidlab.programs import Found, correct, find, is_set
from vidlab.settings import Settings

AGAIN = "make setup FORCE=1"  # what brings again what the set-up brought


@dataclass(frozen=True)
class Install:
    """How the set-up brings a thing into the user's cache."""

    #: Where it is put.
    cached: Callable[[Settings], Path]
    #: Brings it; what it reports are `unit`s.
    run: Callable[[Settings, Report], None]
    unit: str


@dataclass(frozen=True, kw_only=True)
class Need:
    """One row of the table."""

    name: str
    #: Where it is; raises PartMissing, whose hint says what to type.
    locate: Callable[[Settings], Found]
    #: What it says of itself; raises CommandFailed when it does not run.
    version: Callable[[Found], str]
    minimum: tuple[int, ...]
    #: What to type when it is too old, or does not run.
    advice: str
    #: What the set-up does for it; None when a wheel or the system brings it.
    install: Install | None = None


NEEDS: tuple[Need, ...] = (
    Need(
        name="kafka",
        locate=kafka.find_kafka,
        version=kafka.kafka_version,
        minimum=(4, 0),  # without ZooKeeper; earlier ones are set up in another way
        advice=AGAIN,
        install=Install(kafka.cached, install_kafka, "jars"),
    ),
    Need(
        name="java",
        locate=partial(find, "java"),
        version=told("-version", r'version "([\d.]+)'),
        minimum=(17,),  # what Kafka 4 wants
        advice=AGAIN,
    ),
    Need(
        name="redis",
        locate=partial(find, "redis"),
        version=told("--version", r"\bv=([\d.]+)"),
        minimum=(6, 2),
        advice=AGAIN,
    ),
    Need(
        name="azurite",
        locate=azurite.find_azurite,
        version=azurite.azurite_version,
        minimum=(3, 30),
        advice=AGAIN,
        install=Install(azurite.cached, azurite.install_azurite, "packages"),
    ),
    Need(
        name="node",
        locate=partial(find, "node"),
        version=told("--version", r"v([\d.]+)"),
        minimum=(22,),  # what Azurite wants
        advice=AGAIN,
    ),
    Need(
        name="clamd",
        locate=clamd.find_clamd,
        version=clamd.clamd_version,
        minimum=clamd.MINIMUM,
        advice=clamd.advice(),
        install=Install(clamd.cached, clamd.install_clamd, "steps"),
    ),
    Need(
        name="ffmpeg",
        locate=partial(find, "ffmpeg"),
        version=told("-version", r"ffmpeg version n?([\w.-]+)"),
        minimum=(5, 1),
        advice=AGAIN,
    ),
    Need(
        name="ffmpeg_more",
        locate=partial(find, "ffmpeg_more"),
        version=told("-version", r"ffmpeg version n?([\w.-]+)"),
        minimum=(5, 1),
        advice=AGAIN,
    ),
    Need(
        name="ffprobe",
        locate=partial(find, "ffprobe"),
        version=told("-version", r"ffprobe version n?([\w.-]+)"),
        minimum=(5, 1),
        advice=AGAIN,
    ),
)


def version_of(need: Need, found: Found) -> str:
    """Its version. Raises PartMissing when it does not run or is something else, and PartTooOld."""
    command = correct(found.source) if is_set(found) else need.advice
    try:
        version = need.version(found)
    except CommandFailed as error:
        raise PartMissing(part=need.name, why=f"{found.path} does not run: {error}", command=command) from error
    if not version:
        why = f"{found.path} is something else, or broken: it does not tell its version"
        raise PartMissing(part=need.name, why=why, command=command)
    if is_old(version, need.minimum):
        raise PartTooOld(part=need.name, version=version, minimum=dotted(need.minimum), command=command)
    return version
