"""Errors on their way between the supervisor and who talks to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vidlab import errors
from vidlab.errors import LabFailed, VidLabError


def as_record(error: VidLabError) -> dict[str, Any]:
    """An error as JSON can carry it."""
    return {"error": type(error).__name__, "facts": error.facts}


def from_record(record: Mapping[str, Any], sentence: str) -> VidLabError:
    """The error that was sent; one that is not known here keeps its sentence."""
    kind = getattr(errors, str(record.get("error")), None)
    if isinstance(kind, type) and issubclass(kind, VidLabError):
        return kind(**record.get("facts", {}))
    return LabFailed(why=sentence)


def as_problem(error: VidLabError) -> dict[str, Any]:
    """An error as a problem document (RFC 9457): the sentence in `detail`, and what to do in `hint`."""
    return {
        "type": "about:blank",
        "title": type(error).__name__,
        "status": error.http_status,
        "detail": str(error),
        "hint": error.advice,
        **as_record(error),
    }
