"""Unpacks packages of Debian or Ubuntu into a folder, without root: nothing on the system changes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from vidlab.lab.cache import Report
from vidlab.lab.servers.command import make_folder
from vidlab.lab.shell import run

DPKG_STATUS = "/var/lib/dpkg/status"  # what is installed already need not be fetched
STEPS = 3


def is_debian() -> bool:
    """Are Debian's tools here?"""
    return all(map(shutil.which, ("apt-get", "dpkg-deb")))


def unpack(package: str, into: Path, report: Report, also: Sequence[str] = ()) -> None:
    """Unpack packages, and the libraries that the first needs and the system lacks. Raises CommandFailed."""
    shutil.rmtree(into / "apt", ignore_errors=True)  # of one that was interrupted
    work = make_folder(into / "apt")
    apt_get = ["apt-get", "-q", *_private(work)]
    run([*apt_get, "update"])
    report(1, STEPS)
    run([*apt_get, "download", package, *also, *_missing_libraries(apt_get, package)], cwd=work)
    report(2, STEPS)
    for archive in sorted(work.glob("*.deb")):
        run(["dpkg-deb", "-x", archive, into])
    shutil.rmtree(work)
    report(3, STEPS)


def _private(work: Path) -> list[str]:
    """Options that keep apt's lists and archives in a folder of ours: the system's are root's, and may be absent."""
    state, archives = make_folder(work / "state" / "lists" / "partial"), make_folder(work / "archives" / "partial")
    options = (
        f"Dir::State={state.parents[1]}",
        f"Dir::State::status={DPKG_STATUS}",
        f"Dir::Cache={work}",
        f"Dir::Cache::archives={archives.parent}",
        "APT::Sandbox::User=root",  # root's apt would hand the download to a user who cannot read this folder
        "Acquire::Languages=none",
    )
    return [word for option in options for word in ("-o", option)]


def _missing_libraries(apt_get: Sequence[str], package: str) -> list[str]:
    """What installing the package would bring with it: apt knows the names in each release."""
    plan = run([*apt_get, "install", "--simulate", "--no-install-recommends", package])
    return [name for name in re.findall(r"^Inst (\S+)", plan, re.MULTILINE) if name.startswith("lib")]
