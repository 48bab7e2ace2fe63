"""Chromium, in which the tests open JupyterLab: the system's, else Debian's, unpacked without root into the cache."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from pathlib import Path

from rich.console import Console

from vidlab.errors import CommandFailed, PartMissing, VidLabError
from vidlab.lab import cache, debian
from vidlab.lab.cache import Report
from vidlab.lab.shell import run
from vidlab.programs import Found
from vidlab.settings import Settings

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PACKAGE = "chromium"
#: What it wants beside libraries: its pictures and tables, and letters for a system that has none.
ALSO = ("chromium-common", "fonts-dejavu-core", "fontconfig-config")
PROGRAM = Path("usr") / "lib" / "chromium" / "chromium"  # in its package
FONTS = Path("fonts.conf")  # ours, beside it
ADVICE = "sudo apt-get install chromium"
CACHE = "cache"
STAMP = "vidlab-chromium"  # in the environment's folder: where it is

FONT_FOLDERS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
<dir>/usr/share/fonts</dir><dir>{root}/usr/share/fonts</dir><cachedir>{root}/fonts</cachedir>
<alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
<alias><family>system-ui</family><prefer><family>DejaVu Sans</family></prefer></alias>
<alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
</fontconfig>
"""


def find_chromium(settings: Settings) -> Found:
    """The system's, else the one that the set-up unpacked. Raises PartMissing."""
    for name in NAMES:
        if path := shutil.which(name):
            return Found(Path(path), "system")
    unpacked = cached(settings) / PROGRAM
    if unpacked.exists():
        return Found(unpacked, CACHE)
    raise PartMissing(part="chromium", why="it is neither installed nor in the cache", command=ADVICE)


def cached(settings: Settings) -> Path:
    """Where the set-up unpacks the distribution's packages; they fit no other release."""
    release = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    return settings.cache / f"chromium-{release.get('ID')}-{release.get('VERSION_ID')}-{platform.machine()}"


def environment(found: Found) -> dict[str, str]:
    """What an unpacked one needs to find its libraries and its letters."""
    if found.source != CACHE:
        return {}
    root = found.path.parents[len(PROGRAM.parents) - 1]
    folders = sorted({str(path.parent) for path in root.glob("usr/lib/**/lib*.so*")})
    return {"LD_LIBRARY_PATH": ":".join(folders), "FONTCONFIG_FILE": str(root / FONTS)}


def chromium_version(found: Found) -> str:
    """What it says of itself; "" when that is something else. Raises CommandFailed."""
    match = re.search(r"Chrom\w+ ([\d.]+)", run([found.path, "--version"], env=environment(found), seconds=60))
    return match[1] if match else ""


# -- set-up


def install_chromium(settings: Settings, report: Report) -> None:
    """Unpack Debian's into the user's cache. Raises PartMissing."""
    if not debian.is_debian():
        raise PartMissing(part="chromium", why="it is not installed", command="Install Chromium or Chrome.")
    try:
        cache.fill(cached(settings), lambda draft: _unpack(draft, report))
    except CommandFailed as error:
        raise PartMissing(part="chromium", why=str(error), command=ADVICE) from error


def _unpack(draft: Path, report: Report) -> None:
    debian.unpack(PACKAGE, draft, report, ALSO)
    chromium_version(Found(draft / PROGRAM, CACHE))  # it does not start when a library is missing


def bring(settings: Settings) -> Found:
    """The one that is here, or that is fetched now. Raises PartMissing."""
    try:
        found = find_chromium(settings)
    except PartMissing:
        install_chromium(settings, lambda done, total: None)
        found = find_chromium(settings)
    if found.source == CACHE:
        root = cached(settings)
        (root / FONTS).write_text(FONT_FOLDERS.format(root=root))
    return found


def main() -> int:
    """`python -m vidlab.lab.chromium`, for the bootstrap. Without one the tests in the browser are skipped: no harm."""
    console = Console(highlight=False)
    try:
        found = bring(Settings())
    except VidLabError as error:
        console.print(f"  {'chromium':17} {error}\n    to do: {error.advice}", markup=False, soft_wrap=True)
        return 0
    (Path(sys.prefix) / STAMP).write_text(os.fspath(found.path))
    name = f"chromium {chromium_version(found).partition('.')[0]}"
    console.print(f"  {name:17} found at {found.path}", markup=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
