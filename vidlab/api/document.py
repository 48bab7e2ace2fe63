"""The API's own description (OpenAPI): what /docs shows, and what the fuzzing holds the API to."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from vidlab.api.access import OPEN
from vidlab.problem import MEDIA_TYPE

SCHEME = "token"
#: Methods of a path's item that are operations.
_VERBS = ("get", "post", "delete")
#: A problem document of its own kind, with what FastAPI asks for.
Responses = dict[int | str, dict[str, Any]]


class ProblemView(BaseModel):
    """What went wrong, in a sentence for people (RFC 9457)."""

    model_config = ConfigDict(extra="allow")  # what VidLab raised on purpose brings its name, facts and a hint

    type: str
    title: str
    status: int
    detail: str
    instance: str


def problems(*statuses: int) -> Responses:
    """The refusals of an endpoint, as FastAPI wants them told."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemView"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


#: What any endpoint may answer: a page or a name that is foreign, parameters that do not fit, a server that is away.
EVERYWHERE = problems(403, 422, 503)


def describe(app: FastAPI, *more: int, token: bool) -> None:
    """Complete the document with what stands before the endpoints: refusals `more`, and the token."""
    made = app.openapi()
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    schemas["ProblemView"] = ProblemView.model_json_schema()
    for path, operation in _operations(made):
        operation["responses"] |= {str(status): told for status, told in problems(*more).items()}
        if token and not OPEN.fullmatch(path):
            operation["security"] = [{SCHEME: []}]
            operation["responses"]["401"] = problems(401)[401]
    _lead_on(made)
    if token:
        made["components"]["securitySchemes"] = {SCHEME: {"type": "http", "scheme": "bearer"}}


def _lead_on(document: dict[str, Any]) -> None:
    """Tell that the video_hash of an upload's answer leads to all that can be done with the video."""
    given = {"parameters": {"video_hash": "$response.body#/video_hash"}}
    names = [made["operationId"] for path, made in _operations(document) if path.startswith("/videos/") and "{" in path]
    upload = document["paths"]["/videos/upload"]["post"]
    upload["responses"]["200"]["links"] = {name: {"operationId": name} | given for name in names}


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        yield from ((path, item[verb]) for verb in _VERBS if verb in item)
