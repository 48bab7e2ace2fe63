"""What it takes to start a server, and its configuration from the files in `services/`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from string import Template

#: The folder of the servers' configuration, beside the package.
SERVICES = Path(__file__).resolve().parents[3] / "services"

PRIVATE = 0o700  # a server's folder is its owner's


@dataclass(frozen=True, kw_only=True)
class ServerCommand:
    """How a server is started."""

    argv: list[str]
    #: What comes on top of the environment of who starts it.
    env: dict[str, str] = field(default_factory=dict)
    cwd: Path


def make_folder(path: Path) -> Path:
    """The folder, made when it is not there."""
    path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    return path


def write_configuration(source: Path, target: Path, **facts: object) -> Path:
    """Fill in a file of `services/` for one lab. Raises KeyError when a fact is missing."""
    target.write_text(Template(source.read_text()).substitute(facts))
    return target
