"""A lab's addresses: from ports to settings, from settings to a child's environment and to URLs for people."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from vidlab.lab.folder import Folder
from vidlab.lab.identity import MARK
from vidlab.lab.ports import HOST
from vidlab.settings import Settings, azurite_connection_string

#: The settings that say where things are, and what one must know to be let in.
FIELDS = ("kafka", "kafka_password", "redis_url", "database_url", "storage", "clamd", "api_url", "api_token")


def with_addresses(settings: Settings, ports: Mapping[str, int]) -> Settings:
    """The settings with the addresses that follow from the ports; what the user set stays."""
    found = {
        "kafka": f"{HOST}:{ports['kafka']}",
        "redis_url": f"redis://{HOST}:{ports['redis']}/0",
        "storage": SecretStr(azurite_connection_string(HOST, ports["azurite"])),
        "clamd": f"{HOST}:{ports['clamd']}",
        "api_url": f"http://{HOST}:{ports['api']}",
        "database_url": settings.database,
    }
    missing = {name: value for name, value in found.items() if name not in settings.model_fields_set}
    return settings.model_copy(update=missing)


def as_text(settings: Settings) -> dict[str, str]:
    """The address settings as plain text."""
    values = {name: getattr(settings, name) for name in FIELDS}
    return {name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in values.items()}


def environment(settings: Settings, folder: Folder, process: str) -> dict[str, str]:
    """The environment of one process of the lab: the supervisor's own, and what this process must know."""
    addresses = {f"VIDLAB_{name.upper()}": text for name, text in as_text(settings).items()}
    own = {
        MARK: folder.lab_id,
        "VIDLAB_STATE": str(folder.root),
        "VIDLAB_PROCESS": process,
        "PYTHONUNBUFFERED": "1",  # the last line of a process that died must be in its log
    }
    return {**os.environ, **addresses, **own}


def endpoints(settings: Settings, control_url: str) -> dict[str, str]:
    """The addresses as URLs."""
    return {
        "kafka": f"kafka://{settings.kafka}",
        "redis": settings.redis_url,
        "azurite": settings.blob_endpoint,
        "clamd": f"tcp://{settings.clamd}",
        "database": settings.database,
        "api": settings.api_url,
        "control": control_url,
    }


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    parts = urlsplit(url)
    if not parts.password:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@")))


def port_of(url: str) -> int | None:
    """The port in a URL, when there is one."""
    return urlsplit(url).port
