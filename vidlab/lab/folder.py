"""A lab's state folder: where each thing lies, who may read it, and who runs in it now."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Concatenate, ParamSpec, TypeVar

from vidlab.errors import FolderUnusable, LabFailed
from vidlab.here import here
from vidlab.lab.identity import is_alive

P = ParamSpec("P")
R = TypeVar("R")

PRIVATE = 0o600
#: What `reset` forgets; anything else in the folder is not the lab's, and stays.
LAB_FILES = (
    *("vidlab.db*", "kafka", "redis", "azurite", "clamd", "scratch", "clips", "logs", "run", "history"),
    *("ports.json*", "counts.json*", "lab.json*", "lab-id*", "secret*", "predictions.json*", "*.lock"),
)
KEPT = {"secret": 32, "lab-id": 9}  # files that are made once, and their random bytes


@dataclass(frozen=True, kw_only=True)
class LabFile:
    """Who runs the lab, and where: the content of `lab.json`, which is there as long as the lab is up."""

    pid: int
    lab_id: str
    control_url: str
    ports: dict[str, int]
    #: URLs, for people and tests.
    endpoints: dict[str, str]
    #: The addresses as settings: what makes a `Settings` that reaches this lab.
    settings: dict[str, str] = field(repr=False)
    #: Where its supervisor is reached from here, when that is another way: from a container.
    control_here: str = ""
    #: How many of each kind are wanted.
    counts: dict[str, int] = field(default_factory=dict)
    #: Process -> pid, of those that are there.
    processes: dict[str, int] = field(default_factory=dict)


def told(method: Callable[Concatenate[Folder, P], R]) -> Callable[Concatenate[Folder, P], R]:
    """A method of `Folder` that tells what the system refuses as FolderUnusable."""

    @functools.wraps(method)
    def telling(folder: Folder, /, *args: P.args, **options: P.kwargs) -> R:
        try:
            return method(folder, *args, **options)
        except OSError as error:
            raise FolderUnusable(state=folder.root, why=error.strerror) from error

    return telling


class Folder:
    """The state folder of one lab. Raises FolderUnusable where there can be none, and FolderGone."""

    def __init__(self, root: Path) -> None:
        self.root = _whole(root)
        self._check()
        self.logs = self.root / "logs"
        self.run = self.root / "run"
        self.lab_file = self.root / "lab.json"
        self.counts_file = self.root / "counts.json"
        self.ports_file = self.root / "ports.json"

    @told
    def _check(self) -> None:
        if self.root.exists() and not self.root.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is no folder")

    @told
    def make(self) -> None:
        """Make the folder, readable by its owner only. Raises LabFailed when it is in use for something else."""
        if not self.is_lab and (others := self._others()):
            raise LabFailed(why=f"{self.root} is no lab, it holds {others[0]}: a lab wants a folder of its own.")
        for path in (self.root, self.logs, self.run):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)  # it may have been there before, open to everyone
        with self.locked("make"):  # two that come first must not each have an id of their own
            for name, size in KEPT.items():
                if not (self.root / name).exists():
                    write_private(self.root / name, secrets.token_urlsafe(size))

    @property
    def is_lab(self) -> bool:
        """Was a lab made here?"""
        return (self.root / "lab-id").exists()

    def _others(self) -> list[str]:
        names = [path.name for path in self.root.iterdir()] if self.root.exists() else []
        return [name for name in names if not any(fnmatch(name, pattern) for pattern in LAB_FILES)]

    def log_of(self, process: str) -> Path:
        return self.logs / f"{process}.log"

    # -- kept for the folder's life

    @property
    def lab_id(self) -> str:
        """Marks this lab's processes in the process table; random, so that two labs do not meet."""
        return (self.root / "lab-id").read_text()

    @property
    def secret(self) -> str:
        """What a caller of the supervisor must know: only the folder's owner can read it."""
        return (self.root / "secret").read_text()

    # -- who runs here

    def write_lab(self, lab: LabFile) -> None:
        write_private(self.lab_file, json.dumps(asdict(lab), indent=2))

    def read_lab(self) -> LabFile | None:
        """What `lab.json` tells, or None when it is not there, or no longer true."""
        try:
            lab = LabFile(**json.loads(self.lab_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        # A container sees no process of the host: whether the supervisor is there is known when it is asked.
        return lab if lab.control_here or is_alive(lab.pid, lab.lab_id) else None

    def forget_lab(self) -> None:
        self.lab_file.unlink(missing_ok=True)

    def is_run_by(self, pid: int) -> bool:
        """Does `lab.json` name that process? Who removed the folder may have another lab in it by now."""
        try:
            return bool(json.loads(self.lab_file.read_text())["pid"] == pid)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    # -- wanted counts, kept from one `up` to the next

    def write_counts(self, counts: Mapping[str, int]) -> None:
        write_private(self.counts_file, json.dumps(counts))

    def read_counts(self) -> dict[str, int]:
        """What was wanted when the lab last ran; empty when nothing was changed."""
        try:
            return {str(kind): int(count) for kind, count in json.loads(self.counts_file.read_text()).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold one of the folder's locks; a second caller waits for the first."""
        with self._lock(name) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @told
    def _lock(self, name: str) -> IO[str]:
        return (self.root / f"{name}.lock").open("w")

    # -- size

    def disk_bytes(self) -> int:
        """What all its files take on the disk."""
        return sum(_size(Path(folder) / name) for folder, _, names in os.walk(self.root) for name in names)

    @told
    def forget_data(self) -> None:
        """Remove all that the lab made here, and the folder when nothing else lies in it."""
        for pattern in LAB_FILES if self.is_lab else ():
            for path in self.root.glob(pattern):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.root.rmdir()


def _whole(path: Path) -> Path:
    """The path as it is meant from here. The current folder is asked for only when the path does not say it all."""
    try:
        path = path.expanduser()
    except RuntimeError as error:  # there is no such user
        raise FolderUnusable(state=path, why=error) from error
    return path if path.is_absolute() else here() / path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step: a reader sees the old text or the new one."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "w") as file:
        file.write(text)
    draft.replace(path)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_blocks * 512
    except OSError:  # removed meanwhile
        return 0
