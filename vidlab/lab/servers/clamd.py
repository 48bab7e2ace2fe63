"""clamd: the virus scanner, with a signature folder of our own that knows the EICAR test file only."""

from __future__ import annotations

import platform
import re
import shutil
from collections.abc import Mapping
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

#: What installs it, by the package manager that is here.
ADVICE = {
    "apt-get": f"sudo apt-get install {PACKAGE}",
    "brew": "brew install clamav",
    "dnf": "sudo dnf install clamd",
    "pacman": "sudo pacman -S clamav",
    "zypper": "sudo zypper install clamav",
    "apk": "sudo apk add clamav-daemon",
}


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
    """Unpack the distribution's clamd into the user's cache. Raises PartMissing."""
    if not debian.is_debian():
        raise PartMissing(part="clamd", why="no Python package carries it, and it is not installed", command=advice())
    try:
        cache.fill(cached(settings), lambda draft: _unpack(draft, report))
    except CommandFailed as error:
        raise PartMissing(part="clamd", why=str(error), command=advice()) from error


def _unpack(draft: Path, report: Report) -> None:
    debian.unpack(PACKAGE, draft, report)
    clamd_version(Found(draft / PROGRAM, CACHE))  # it does not start when a library is missing


def advice() -> str:
    """What a person types to install it."""
    return next(
        (command for manager, command in ADVICE.items() if shutil.which(manager)), "Install ClamAV 1.0 or newer."
    )
