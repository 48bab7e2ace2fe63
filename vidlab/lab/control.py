"""The supervisor's HTTP face: only for this machine, and only for who knows the lab's secret."""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from vidlab.errors import BadRequest, NotAllowed, UnknownProcess, VidLabError
from vidlab.lab import logs
from vidlab.lab.addresses import without_password
from vidlab.lab.backend import Backend
from vidlab.lab.outages import Outages
from vidlab.lab.spec import matching
from vidlab.lab.verbs import VERBS, act, scale
from vidlab.problem import MEDIA_TYPE, as_problem

SECRET = "X-VidLab-Secret"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PAGES = r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?"  # pages on this machine, on any port
LONGEST_WAIT = 30.0  # seconds that a question for events is held
MOST_LINES = 10_000
NUMBER = re.compile(r"[0-9]{1,18}")  # longer ones are no number of anything here

Endpoint = Callable[[Request], Awaitable[Response]]


class Guard:
    """Lets a request through when it comes from this machine, from a page of this machine if any, with the secret."""

    def __init__(self, app: ASGIApp, secret: str, names: Collection[str]) -> None:
        self.app = app
        self.names = names
        self.secret = secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refusal = self._refusal(Request(scope))
        answer: ASGIApp = self.app if refusal is None else _problem(NotAllowed(why=refusal))
        await answer(scope, receive, send)

    def _refusal(self, request: Request) -> str | None:
        # A page that a browser was led to under another name for this machine must not get in.
        if _host(request) not in self.names:
            return "it was not sent to a name of this machine"
        origin = request.headers.get("origin")
        if origin is not None and not re.fullmatch(PAGES, origin):
            return "it comes from a page that is not of this machine"
        if not hmac.compare_digest(request.headers.get(SECRET, "").encode(), self.secret):
            return "it does not carry the lab's secret"
        return None


def _host(request: Request) -> str | None:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:  # not even the form of a name
        return None


class Control:
    """The routes, each a word that is said to the crew."""

    def __init__(
        self,
        crew: Backend,
        outages: Outages,
        tell: Callable[[], dict[str, Any]],
        names: Collection[str] = LOOPBACK,
    ) -> None:
        """`names`: what this machine is called by who may speak to it."""
        self.crew = crew
        self.outages = outages
        #: What is told about the lab as a whole.
        self.tell = tell
        self.names = names

    def app(self) -> Starlette:
        """The application, guarded."""
        cors = Middleware(
            CORSMiddleware,
            allow_origin_regex=PAGES,
            allow_methods=["GET", "POST"],
            allow_headers=[SECRET, "Content-Type"],
        )
        guard = Middleware(Guard, secret=self.crew.folder.secret, names=self.names)
        return Starlette(routes=self._routes(), middleware=[cors, guard], exception_handlers=HANDLERS)

    def _routes(self) -> list[Route]:
        return [
            Route("/status", self.status),
            Route("/processes", self.processes),
            Route("/events", self.events),
            Route("/logs/{name}", self.log),
            Route("/pids/{pid}/kill", self.kill_pid, methods=["POST"]),
            Route("/kinds/{kind:path}/scale", self.scale, methods=["POST"]),
            Route("/down", self.down, methods=["POST"]),
            Route("/faults", self.faults),
            Route("/faults/over", self.faults_over, methods=["POST"]),
            Route("/faults/{name}", self.fault, methods=["POST"]),
            *(Route(f"/processes/{{name:path}}/{verb}", self._verb(verb), methods=["POST"]) for verb in VERBS),
        ]

    # -- questions

    async def status(self, _request: Request) -> Response:
        """The lab as a whole and its processes."""
        told = self.tell()
        shown = {name: without_password(url) for name, url in told["endpoints"].items()}
        return JSONResponse({**told, "endpoints": shown, "processes": self._processes()})

    async def processes(self, _request: Request) -> Response:
        """The processes alone."""
        return JSONResponse(self._processes())

    def _processes(self) -> list[dict[str, Any]]:
        return [process.status().as_json() for process in self.crew.in_order()]

    async def events(self, request: Request) -> Response:
        """What happened after the event `after`; with `wait`, held back so many seconds until something does."""
        after, wait = _number(request, "after", 0), _number(request, "wait", 0)
        events = await self.crew.journal.wait_after(after, min(wait, LONGEST_WAIT))
        return JSONResponse([event.as_json() for event in events])

    async def log(self, request: Request) -> Response:
        """The last `lines` of a log, or with `offset` what was written since."""
        name = self._log_name(request.path_params["name"])
        path = self.crew.folder.log_of(name)
        if "offset" in request.query_params:
            piece = logs.since(path, _number(request, "offset", 0))
        else:
            piece = logs.tail(path, min(_number(request, "lines", 100), MOST_LINES))
        return JSONResponse({"name": name, "text": piece.text, "offset": piece.offset})

    def _log_name(self, name: str) -> str:
        return matching(name, [*self.crew.processes, "supervisor"])[0]

    # -- orders

    def _verb(self, verb: str) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return JSONResponse({"processes": await act(self.crew, verb, request.path_params["name"])})

        return endpoint

    async def kill_pid(self, request: Request) -> Response:
        """End one operating-system process."""
        pid = request.path_params["pid"]
        if not NUMBER.fullmatch(pid):
            raise UnknownProcess(name=pid)
        return JSONResponse({"processes": await self.crew.kill_pid(int(pid))})

    async def scale(self, request: Request) -> Response:
        """Change how many of a kind are wanted: {"count": 3}."""
        count = await _count(request)
        before = scale(self.crew, request.path_params["kind"], count)
        return JSONResponse({"before": before, "count": count})

    async def down(self, request: Request) -> Response:
        """Begin to take the lab down. Who speaks from inside of it would go down with it."""
        if _host(request) not in LOOPBACK:
            raise NotAllowed(why="the lab is taken down from the machine that it runs on")
        self.crew.close()
        return JSONResponse({"state": "down"}, status_code=202)

    # -- faults

    async def faults(self, _request: Request) -> Response:
        """The faults that are on."""
        return JSONResponse([outage.as_json() for outage in self.outages.on()])

    async def fault(self, request: Request) -> Response:
        """Begin a fault: {"target": "worker-720p", "seconds": 10}; what is left out is as in the table."""
        body = await _object(request)
        target, seconds = body.get("target") or "", body.get("seconds")
        if not isinstance(target, str) or not isinstance(seconds, int | float | None) or isinstance(seconds, bool):
            raise BadRequest(why='the body must be like {"target": "worker-720p", "seconds": 10}')
        outage = await self.outages.begin(request.path_params["name"], target, seconds)
        return JSONResponse(outage.as_json())

    async def faults_over(self, request: Request) -> Response:
        """End a fault, {"id": 3}, or all of them."""
        number = (await _object(request)).get("id")
        if not isinstance(number, int | None):
            raise BadRequest(why='the body must be like {"id": 3}, or empty for all')
        return JSONResponse([outage.as_json() for outage in await self.outages.end(number)])


async def _object(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise BadRequest(why="the body is not JSON") from error
    return body if isinstance(body, dict) else {}


async def _count(request: Request) -> int:
    count = (await _object(request)).get("count")
    if not isinstance(count, int) or isinstance(count, bool):
        raise BadRequest(why='the body must be like {"count": 3}')
    return count


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not NUMBER.fullmatch(text):
        raise BadRequest(why=f"{name} must be a whole number")
    return int(text)


def _problem(error: VidLabError) -> JSONResponse:
    return JSONResponse(as_problem(error), error.http_status, media_type=MEDIA_TYPE)


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, VidLabError)
    return _problem(error)


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = f"There is no {request.method} {request.url.path}."
    return JSONResponse(
        {"type": "about:blank", "title": error.detail, "status": error.status_code, "detail": detail},
        error.status_code,
        media_type="application/problem+json",
    )


HANDLERS = {VidLabError: _refuse, HTTPException: _unknown}
