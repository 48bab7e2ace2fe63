"""Errors on their way over HTTP: a problem document (RFC 9457) that the other side can turn into the error again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vidlab import errors
from vidlab.errors import LabFailed, VidLabError

MEDIA_TYPE = "application/problem+json"


def as_problem(error: VidLabError) -> dict[str, Any]:
    """The sentence is in `detail`, what to do in `hint`, and the facts as they are."""
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+", type(error).__name__)
    return {
        "type": f"urn:vidlab:problem:{'-'.join(words).lower()}",
        "title": " ".join(words).capitalize(),
        "status": error.http_status,
        "detail": str(error),
        "hint": error.advice,
        "error": type(error).__name__,
        "facts": error.facts,
    }


def from_problem(document: Mapping[str, Any]) -> VidLabError:
    """The error that was sent; one that is not known here keeps its sentence."""
    kind = getattr(errors, str(document.get("error")), None)
    if isinstance(kind, type) and issubclass(kind, VidLabError):
        return kind(**document.get("facts", {}))
    return LabFailed(why=str(document.get("detail", "the answer cannot be read")))
