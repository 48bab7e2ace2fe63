"""The set-up: makes `.venv` from the locks, and has it bring the servers. It uses the standard library only.

What was done is noted with a hash of each file that says what to do. So a second run is over at once, a changed lock
brings what changed, and a run that was interrupted is begun again.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ROOT / "services"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NOTES = VENV / "vidlab-setup.json"
PARTS = VENV / "vidlab-parts"  # written by vidlab.lab.install: what it relies on outside of .venv, and why there

BUILD, CLIPS, UV = (SERVICES / f"requirements-{name}.txt" for name in ("build", "clips", "uv"))
PACKAGES, LAB_PACKAGES, DEV_PACKAGES = (SERVICES / f"requirements{name}.txt" for name in ("", "-lab", "-dev"))
PROJECT = ROOT / "pyproject.toml"
SERVERS = (SERVICES / "kafka" / "jgo.lock.toml", SERVICES / "azurite" / "package-lock.json")
WIDGETS = tuple(sorted(path for path in (SERVICES / "widgets").glob("**/*") if path.is_file()))
BUNDLES = ROOT / "vidlab" / "widgets" / "static" / "bundles.json"  # written last of them
BROWSER = (ROOT / "vidlab" / "lab" / "chromium.py",)
CHROMIUM = VENV / "vidlab-chromium"  # written by that module: where it is
#: The settings that name servers of one's own.
OVERRIDES = ("VIDLAB_KAFKA_HOME", "VIDLAB_AZURITE_HOME", "VIDLAB_CLAMD_PROGRAM")

#: The locks are complete and hashed; what has to be built is built with what the first of them installed.
LOCKED = ("--require-hashes", "--no-deps", "--no-build-isolation")
BAR = 20  # columns
#: Our bars are enough; no Python is fetched from elsewhere; pip may be set to install for the user.
QUIET = {"UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never", "PIP_USER": "0"}
POLL = 0.2  # seconds between looks at what has come

NEW = f"VidLab: setting up in {VENV.name} (once, a minute or two)\n"
CHANGED = f"VidLab: bringing {VENV.name} up to date\n"
NO_PIP = """neither uv nor pip is here to fetch the packages.
  Install one of them, then try again:
    sudo apt-get install python3-pip        (Debian, Ubuntu)
    brew install uv                         (macOS)"""


class SetupError(Exception):
    """What a person has to know, and to do."""


@dataclass(frozen=True)
class Step:
    """Something to do when one of these files changed."""

    name: str
    files: tuple[Path, ...]
    do: Callable[[], object]
    #: Is what it made elsewhere still there?
    there: Callable[[], bool] = lambda: True
    #: Does it fill the environment itself? Then one that was interrupted is made anew: half a package looks whole.
    inside: bool = True


def main() -> int:
    """Do what is not done yet."""
    parser = argparse.ArgumentParser(description="Set up VidLab in .venv.")
    parser.add_argument("--lab", action="store_true", help="also JupyterLab and what the notebooks need")
    parser.add_argument("--dev", action="store_true", help="also what the tests need, which is all of that too")
    parser.add_argument("--force", action="store_true", help="all over again")
    options = parser.parse_args()
    steps = make_steps(dev=options.dev, lab=options.lab, force=options.force)
    try:
        if options.force or not all(map(is_done, steps)):
            with alone():
                set_up(steps, force=options.force)
    except SetupError as error:
        sys.stderr.write(f"vidlab: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("vidlab: the set-up was interrupted; the next run goes on with it\n")
        return 130
    return 0


def make_steps(*, dev: bool, lab: bool, force: bool) -> tuple[Step, ...]:
    """The steps in their order. The first installs what builds those that have no wheel."""
    browser = Step("chromium", BROWSER, lambda: run_module("vidlab.lab.chromium"), has_chromium, inside=False)
    packages = (DEV_PACKAGES, LAB_PACKAGES, PACKAGES) if dev else (LAB_PACKAGES, PACKAGES) if lab else (PACKAGES,)
    again = ("--force",) if force else ()
    return (
        Step("build tools", (BUILD,), lambda: install(LOCKED, BUILD)),
        Step("python packages", packages, lambda: install_packages(packages[0])),
        Step("sample clip", (CLIPS,), lambda: install(LOCKED, CLIPS)),
        Step("vidlab", (PROJECT,), install_project),
        Step("servers", SERVERS, lambda: run_module("vidlab.lab.install", *again), has_parts, inside=False),
        Step("widgets", WIDGETS, lambda: run_module("vidlab.lab.bundling"), BUNDLES.exists, inside=False),
        *((browser,) if dev else ()),
    )


def set_up(steps: Sequence[Step], *, force: bool) -> None:
    """Do the steps that are not done, each noted when it is."""
    new = force or read_notes().get("root") != str(ROOT) or not PYTHON.exists()
    say(NEW if new else CHANGED)
    if new:
        make_environment()
    for step in steps:
        if not is_done(step):
            # Whoever is interrupted here leaves no root in the notes: the next run makes the environment anew.
            note(root="" if step.inside else str(ROOT))
            step.do()
            note(root=str(ROOT), **{name_of(file): digest(file) for file in step.files})


# -- what is done


def is_done(step: Step) -> bool:
    """Do the notes say so of the files as they are now, and is it still there?"""
    notes = read_notes()
    noted = all(notes.get(name_of(file)) == digest(file) for file in step.files)
    return noted and notes.get("root") == str(ROOT) and PYTHON.exists() and step.there()


def name_of(file: Path) -> str:
    """What the notes call it."""
    return file.relative_to(ROOT).as_posix()


def has_chromium() -> bool:
    """Is the browser still where it was found?"""
    try:
        return Path(CHROMIUM.read_text()).exists()
    except OSError:
        return False


def has_parts() -> bool:
    """Is all there that the servers' set-up put elsewhere, and would it put it there now?"""
    try:
        parts = json.loads(PARTS.read_text())
    except (OSError, ValueError):
        return False
    return bool(parts["choices"] == choices() and all(map(os.path.exists, parts["paths"])))


def choices() -> dict[str, str]:
    """The settings that decide where the servers are; `vidlab.lab.install` notes the same when it has brought them."""
    return {"VIDLAB_CACHE": str(user_cache()), **{name: os.environ.get(name, "") for name in OVERRIDES}}


def digest(file: Path) -> str:
    """A hash of its content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def read_notes() -> dict[str, str]:
    """What was noted; nothing when the environment is new, or not ours."""
    try:
        return dict(json.loads(NOTES.read_text()))
    except (OSError, ValueError):
        return {}


def note(**facts: str) -> None:
    """Add to the notes."""
    draft = NOTES.with_suffix(".draft")
    draft.write_text(json.dumps({**read_notes(), **facts}, indent=1))
    draft.replace(NOTES)


@contextmanager
def alone() -> Iterator[None]:
    """Let a second set-up of this folder wait for the first."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


# -- the steps


def make_environment() -> None:
    """An empty environment of this Python."""
    run([find_uv(), "venv", "--quiet", "--clear", "--no-project", "--python", sys.executable, str(VENV)])


def install(options: Sequence[str], lock: Path) -> None:
    """Install what a lock says."""
    run([find_uv(), "pip", "install", "--python", str(PYTHON), *options, "--requirement", str(lock)])


def run_module(name: str, *words: str) -> None:
    """Run a module of VidLab's own, which talks to the person itself."""
    run([str(PYTHON), "-m", name, *words], shown=True)


def install_packages(lock: Path) -> None:
    """Install the packages and compile them: what is not compiled costs each start of a lab."""
    total = len(re.findall("^[a-z0-9].*==", lock.read_text(), re.MULTILINE))
    uv = find_uv()
    command = [uv, "pip", "install", "--python", str(PYTHON), "--compile-bytecode", *LOCKED, "-r", str(lock)]
    fetched = Path(run([uv, "cache", "dir"]).strip())
    before = count_archives(fetched)
    output = run(command, watch=lambda: show_bar("python packages", count_archives(fetched) - before, total))
    installed = re.search(r"Installed (\d+)", output)
    say_done("python packages", f"{installed[1]} installed" if installed else "all there")


def install_project() -> None:
    """Put this folder on the environment's path, and `vidlab` among its programs."""
    install_from = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    run([find_uv(), "pip", "install", "--python", str(PYTHON), *install_from])
    run([str(PYTHON), "-m", "compileall", "-q", str(ROOT / "vidlab"), str(SERVICES)])


def count_archives(cache: Path) -> int:
    """How many packages uv has unpacked in its cache; the way it shows no bar of ours, but is there to be seen."""
    return sum(1 for _ in cache.glob("archive-v*/*"))


# -- uv


def find_uv() -> str:
    """The uv that is here, or one that pip brings into the user's cache."""
    ours = user_cache() / f"uv-{digest(UV)[:12]}"
    for program in (shutil.which("uv"), str(ours / "bin" / "uv")):
        if program and works(program):
            return program
    return fetch_uv(ours)


def user_cache() -> Path:
    """As vidlab/settings.py has it, which cannot be imported yet."""
    base = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    folder = Path(os.environ.get("VIDLAB_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or base) / "vidlab")
    return folder.absolute()


def works(program: str) -> bool:
    """Is it a program that runs, and not a shim that leads nowhere?"""
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def fetch_uv(folder: Path) -> str:
    """Have pip fetch it, by its hash, into a folder of its own: the system's Python stays as it is."""
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
        raise SetupError(NO_PIP)
    draft = folder.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    run([*pip, "install", "--quiet", "--target", str(draft), "--no-deps", "--require-hashes", "-r", str(UV)])
    draft.rename(folder)
    say_done("uv", "fetched by pip")
    return str(folder / "bin" / "uv")


# -- running and telling


def run(command: Sequence[str], *, watch: Callable[[], None] | None = None, shown: bool = False) -> str:
    """Run a program and give what it printed; with `shown` it talks to the person itself. Raises SetupError."""
    pipe, errors = (None, None) if shown else (subprocess.PIPE, subprocess.STDOUT)
    with subprocess.Popen(command, stdout=pipe, stderr=errors, text=True, env={**os.environ, **QUIET}) as child:
        output = wait(child, watch or (lambda: None))
    if child.returncode:
        why = "it says why above" if shown else "\n    ".join(output.strip().splitlines()[-8:])
        raise SetupError(f"{shlex.join(command)} did not end well:\n    {why}")
    return output


def wait(child: subprocess.Popen[str], watch: Callable[[], None]) -> str:
    """Look again and again until it is over."""
    while True:
        try:
            return child.communicate(timeout=POLL)[0] or ""
        except subprocess.TimeoutExpired:
            watch()


def say(text: str) -> None:
    """Tell it at once, also in a pipe."""
    sys.stdout.write(text)
    sys.stdout.flush()


def show_bar(name: str, done: int, total: int) -> None:
    """In a terminal, draw how far it is over what was drawn before."""
    if sys.stdout.isatty():
        filled = min(BAR * done // total, BAR)
        say(f"\r  {name:17} {'━' * filled:{BAR}} {done} of {total}")


def say_done(name: str, text: str) -> None:
    """The line that stays."""
    over, wide = ("\r", BAR + 10) if sys.stdout.isatty() else ("", 0)
    say(f"{over}  {name:17} {text:{wide}}".rstrip() + "\n")


if __name__ == "__main__":
    sys.exit(main())
