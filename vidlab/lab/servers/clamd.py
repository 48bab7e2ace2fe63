"""clamd: the virus scanner, with a signature folder of our own that knows the EICAR test file only."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vidlab.errors import CommandFailed, PartMissing
from vidlab.lab import cache, debian
from vidlab.lab.cache import Report
from vidlab.lab.servers.command import SERVICES, ServerCommand, make_folder, write_configuration
from vidlab.lab.shell import run
from vidlab.programs import Found, find
from vidlab.settings import Settings

FILES = SERVICES / "clamav"
MINIMUM = (1, 0)  # its answers and options are those of 1.4
PACKAGE = "clamav-daemon"  # of Debian and Ubuntu
PROGRAM = Path("usr") / "sbin" / "clamd"  # in its package
CACHE = "cache"

#: Debian and Ubuntu confine the installed clamd to its own folders, where a lab's files are not.
APPARMOR_PROFILE = Path("/etc/apparmor.d/usr.sbin.clamd")
APPARMOR = Path("/sys/module/apparmor/parameters/enabled")
CONFINED = Path("/usr/sbin/clamd")


@dataclass(frozen=True)
class Manager:
    """How a package manager installs it."""

    command: str
    #: What has it ask nothing.
    silent: str = ""
    wants_root: bool = True

    @property
    def program(self) -> str:
        return self.command.split()[0]

    @property
    def allowed(self) -> bool:
        """May the set-up call it? It never asks for a password."""
        return not self.wants_root or os.geteuid() == 0

    @property
    def advice(self) -> str:
        """What a person types."""
        return self.command if self.allowed else f"sudo {self.command}"


#: The first that is here counts: one that does without root comes before those of the distributions.
MANAGERS = (
    Manager("brew install clamav", wants_root=False),
    Manager(f"apt-get install {PACKAGE}", "--yes"),
    Manager("dnf install clamd", "--assumeyes"),
    Manager("pacman -S clamav", "--noconfirm"),
    Manager("zypper install clamav", "--no-confirm"),
    Manager("apk add clamav-daemon"),
)
STEPS = 2  # of a package manager: installed, and it runs


def clamd_command(state: Path, ports: Mapping[str, int], settings: Settings) -> ServerCommand:
    """A scanner over TCP, whose configuration names its folders as seen from its own. Raises PartMissing."""
    home = make_folder(state / "clamd")
    # One that was killed leaves its copies of what it scanned.
    shutil.rmtree(home / "scratch", ignore_errors=True)
    make_folder(home / "scratch")
    shutil.copytree(FILES / "signatures", home / "signatures", dirs_exist_ok=True)
    configuration = write_configuration(FILES / "clamd.conf", home / "clamd.conf", port=ports["clamd"])
    clamd = find_clamd(settings)
    argv = [str(clamd.path), "--foreground", f"--config-file={configuration.name}"]
    return ServerCommand(argv=argv, env=library_path(clamd), cwd=home)


# -- where it is


def cached(settings: Settings) -> Path:
    """Where the set-up unpacks the distribution's packages; they fit no other release."""
    release = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    return settings.cache / f"clamav-{release.get('ID')}-{release.get('VERSION_ID')}-{platform.machine()}"


def find_clamd(settings: Settings) -> Found:
    """The one that is set, else unpacked by the set-up, else the system's. Raises PartMissing."""
    unpacked = cached(settings) / PROGRAM
    if unpacked.exists() and not settings.clamd_program:
        return Found(unpacked, CACHE)
    found = find("clamd", settings)
    if found.source == "system" and _is_confined(found.path):
        raise PartMissing(part="clamd", why=f"AppArmor keeps {found.path} from a lab's files", command="make setup")
    return found


def _is_confined(path: Path) -> bool:
    on = APPARMOR.exists() and APPARMOR.read_text().startswith("Y")
    return on and APPARMOR_PROFILE.exists() and path.resolve() == CONFINED


def library_path(found: Found) -> dict[str, str]:
    """The environment in which an unpacked clamd finds the libraries that were unpacked with it."""
    if found.source != CACHE:
        return {}
    root = found.path.parents[len(PROGRAM.parents) - 1]
    return {"LD_LIBRARY_PATH": ":".join(sorted({str(path.parent) for path in root.glob("**/lib*.so*")}))}


def clamd_version(found: Found) -> str:
    """What it says of itself; without a configuration it would say nothing. Raises CommandFailed."""
    words = run([found.path, "--config-file=/dev/null", "--version"], env=library_path(found), seconds=20)
    match = re.search(r"ClamAV ([\w.-]+)", words)
    return match[1] if match else ""


# -- set-up


def install_clamd(settings: Settings, report: Report) -> None:
    """Unpack Debian's clamd into the user's cache, or have it installed where that may be done. Raises PartMissing."""
    try:
        if debian.is_debian():
            cache.fill(cached(settings), lambda draft: _unpack(draft, report))
        elif (manager := _manager()) and manager.allowed:
            _install_by(manager, settings, report)
        else:
            why = "no Python package carries it, and it is not installed"
            raise PartMissing(part="clamd", why=why, command=advice())
    except CommandFailed as error:
        raise PartMissing(part="clamd", why=str(error), command=advice()) from error


def _unpack(draft: Path, report: Report) -> None:
    debian.unpack(PACKAGE, draft, report)
    clamd_version(Found(draft / PROGRAM, CACHE))  # it does not start when a library is missing


def _install_by(manager: Manager, settings: Settings, report: Report) -> None:
    program, verb, *package = manager.command.split()
    run([program, verb, *filter(None, [manager.silent]), *package])
    report(1, STEPS)
    clamd_version(find_clamd(settings))
    report(STEPS, STEPS)


def _manager() -> Manager | None:
    return next((manager for manager in MANAGERS if shutil.which(manager.program)), None)


def advice() -> str:
    """What a person types to install it."""
    manager = _manager()
    return manager.advice if manager else "Install ClamAV 1.0 or newer."
