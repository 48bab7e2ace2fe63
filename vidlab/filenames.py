"""Names that users send, made safe to store and to show."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

MAX_LENGTH = 255  # characters of a file's name
MAX_EXTENSION = 8  # characters
NO_NAME = "video"
NO_EXTENSION = "bin"

#: Unicode's categories of what is not shown or ends a line: control characters, marks of direction, separators.
UNSHOWN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
FOLDERS = (".", "..")  # that every system takes for itself and the one above


def clean_title(title: str) -> str:
    """A title without control characters, and without those that turn the direction of writing."""
    return "".join(char for char in title if unicodedata.category(char) not in UNSHOWN).strip()


def clean_filename(name: str) -> str:
    """A file's name alone, without folders."""
    alone = re.split(r"[/\\]", clean_title(name))[-1].strip()[-MAX_LENGTH:].strip()
    return NO_NAME if alone in ("", *FOLDERS) else alone


def extension_of(filename: str) -> str:
    """The ending as it may stand in a blob's path: a few small letters and digits."""
    ending = PurePosixPath(filename).suffix.lower().lstrip(".")
    return ending if re.fullmatch(rf"[a-z0-9]{{1,{MAX_EXTENSION}}}", ending) else NO_EXTENSION


def title_from(filename: str) -> str:
    """What a video is called when nobody said."""
    return PurePosixPath(filename).stem
