"""VidLab: a distributed video pipeline that a person starts, watches, breaks and scales."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`vidlab.connect`, brought when it is asked for: a command line need not wait for pandas."""
    if name != "connect":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return importlib.import_module("vidlab.face").connect
    except ModuleNotFoundError as error:
        wanted = importlib.import_module("vidlab.errors").PartMissing
        raise wanted(part="the notebooks' part", why=f"{error.name} is not installed", command="make lab") from error
