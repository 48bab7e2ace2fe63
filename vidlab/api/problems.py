"""Every error leaves as a problem document (RFC 9457) with a sentence for people."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.routing import compile_path
from starlette.types import Message, Receive, Scope, Send

from vidlab.errors import DependencyAway, RangeNotSatisfiable, VidLabError
from vidlab.problem import MEDIA_TYPE, as_problem

log = structlog.get_logger()

RETRY_AFTER = 2  # seconds
LINGER = 5.0  # seconds in which a body that nobody wants is still read
#: Set in a request's state by who stopped reading its body half way.
UNREAD = "unread"
CLIENT_CLOSED_REQUEST = 499  # as nginx calls it; nobody reads this answer


class Problem(JSONResponse):
    """A problem document."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, default=str).encode()


class Lingering(Problem):
    """A problem that is told while the request is still coming.

    When a connection is closed with unread bytes, the client's system throws the answer away and its program sees a
    broken pipe. So what comes is read and dropped for a while, after the answer went out.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_open_ended(message: Message) -> None:
            is_body = message["type"] == "http.response.body"
            await send({**message, "more_body": True} if is_body else message)

        await super().__call__(scope, receive, send_open_ended)
        await _drop_rest(receive)
        await send({"type": "http.response.body", "body": b""})


async def _drop_rest(receive: Receive) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            while (await receive()).get("more_body", False):
                pass


def _problem(request: Request, status: int, detail: str, **more: Any) -> Problem:
    document = {"type": "about:blank", "title": _phrase(status), "status": status, "detail": detail} | more
    return Problem(document | {"instance": request.url.path}, status)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase


def refused(scope: Scope, error: VidLabError, headers: dict[str, str] | None = None) -> Response:
    """The answer of who turns a request away before an endpoint sees it."""
    kind = Lingering if scope["type"] == "http" else Problem  # a WebSocket that is not let in has no body
    return kind(as_problem(error) | {"instance": scope["path"]}, error.http_status, headers=headers)


# -- handlers


async def _ours(request: Request, error: Exception) -> Response:
    """An error that VidLab raised on purpose."""
    assert isinstance(error, VidLabError)
    if error.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request failed", path=request.url.path, reason=str(error))
    kind = Lingering if getattr(request.state, UNREAD, False) else Problem
    return kind(as_problem(error) | {"instance": request.url.path}, error.http_status, headers=_headers(error))


def _headers(error: VidLabError) -> dict[str, str]:
    if isinstance(error, DependencyAway):
        return {"Retry-After": str(RETRY_AFTER)}
    if isinstance(error, RangeNotSatisfiable):
        return {"Content-Range": f"bytes */{error.facts['size']}"}
    return {}


async def _invalid(request: Request, error: Exception) -> Response:
    """Parameters that do not fit what /docs says."""
    assert isinstance(error, RequestValidationError)
    reasons = [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors()]
    return _problem(
        request, HTTPStatus.UNPROCESSABLE_ENTITY, f"The request cannot be understood: {'; '.join(reasons)}."
    )


async def _refused(request: Request, error: Exception) -> Response:
    """What the router refuses: an unknown path, a wrong method."""
    assert isinstance(error, HTTPException)
    sentences = {
        HTTPStatus.NOT_FOUND: f"There is no {request.url.path}; /docs lists what there is.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.url.path} does not take {request.method}.",
    }
    problem = _problem(request, error.status_code, sentences.get(HTTPStatus(error.status_code), str(error.detail)))
    problem.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods(request)):
        problem.headers["Allow"] = ", ".join(methods)
    return problem


def _methods(request: Request) -> list[str]:
    """All that the document has for this path: the router tells only those of the first endpoint that fits."""
    paths, asked = request.app.openapi().get("paths", {}), request.scope["path"]
    named = {asked: paths[asked]} if asked in paths else paths
    fitting = [item for path, item in named.items() if compile_path(path)[0].match(asked)]
    return sorted({verb.upper() for item in fitting for verb in item})


async def _left(_request: Request, _error: Exception) -> Response:
    """The client went away in the middle of its request: nothing of it was stored."""
    return Response(status_code=CLIENT_CLOSED_REQUEST)


async def _unforeseen(request: Request, _error: Exception) -> Response:
    """A mistake of ours. Its text may hold what is not for everyone, so that only the log has it."""
    detail = "Something went wrong inside the API; its log tells what: vidlab logs api"
    return _problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, detail)


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    VidLabError: _ours,
    RequestValidationError: _invalid,
    HTTPException: _refused,
    ClientDisconnect: _left,
    Exception: _unforeseen,
}
