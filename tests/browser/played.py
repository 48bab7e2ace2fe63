"""A lab that a test plays itself: what its API says over sockets and to questions, and its supervisor to orders."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page, Route, WebSocketRoute

from tests.browser.pages import Pages
from vidlab.bundles import BUNDLES

Message = dict[str, Any]

HASH = "a" * 32
GROUP = "video_processing_144p"


def now() -> str:
    return datetime.now(UTC).isoformat()


def job(name: str, state: str) -> Message:
    facts = dict.fromkeys(("place", "speed", "eta", "started_at", "finished_at", "error"))
    return {"name": name, "state": state, "progress": 0.0, "attempt": 0, **facts}


def video(title: str = "a film", video_hash: str = HASH, **more: Any) -> Message:
    """One that is being processed."""
    times = {"created_at": now(), "finalized_at": now(), "ended_at": None}
    jobs = {"steps": [job("preprocessing", "done")], "profiles": [job("144p", "waiting")]}
    about = {"video_hash": video_hash, "title": title, "filename": "film.mp4", "status": "processing"}
    return {**about, **times, **jobs, **more}


def process(name: str, **more: Any) -> Message:
    facts = {"restarts": 0, "note": "", "since": None, "stopping": False, "outside": False}
    return {"name": name, "kind": name.split(".")[0], "state": "running", "pid": 4711, **facts, **more}


def event(number: int, text: str, **more: Any) -> Message:
    """Something that the supervisor did."""
    about = {"id": f"lab-{number}", "number": number, "at": now(), "source": "lab", "kind": "killed"}
    return {**about, "video_hash": None, "stage": None, "process": "keeper", "text": text, **more}


class Played:
    """A lab under the pages' own address. Its sockets are open, and say the snapshot first, unless they are refused."""

    def __init__(self, page: Page, pages: Pages, name: str = "played", token: str = "") -> None:
        base = f"{pages.url}/{name}"
        self.addresses = {"api": base, "control": f"{base}/control", "secret": "s", "token": token}
        self.snapshot: Message = {"type": "snapshot", "at": now(), "videos": [], "events": [], "away": {}, "faults": []}
        self.snapshot |= {"processes": [process("api")], "queues": [], "lag": []}
        #: Path -> answer of a GET; None: it hangs. What is not in it is not found.
        self.answers: dict[str, Any] = {"/live": self.snapshot}
        #: With which code each socket is closed at once.
        self.refused: int | None = None
        self.says_nothing = False
        self.sockets: list[WebSocketRoute] = []
        self.closed: list[WebSocketRoute] = []
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        page.route_web_socket(re.compile(f"^{base.replace('http', 'ws')}/"), self._open)
        page.route(f"{base}/**", self._answer)

    def _open(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_close(lambda code, reason: self._close(socket))
        if self.refused:
            self._close(socket)
            socket.close(code=self.refused, reason="There is no such film.")
        elif not self.says_nothing:
            self.say(self.snapshot)

    def _close(self, socket: WebSocketRoute) -> None:
        if socket not in self.closed:  # it may be told twice
            self.closed.append(socket)

    def say(self, message: Message) -> None:
        """Over the newest socket."""
        self.sockets[-1].send(json.dumps(message))

    def _answer(self, route: Route) -> None:
        path = route.request.url[len(self.addresses["api"]) :].partition("?")[0]
        self.asked.append(path)
        self.headers.append(route.request.headers)
        if path.startswith("/bundles/"):
            route.fulfill(path=BUNDLES / path.removeprefix("/bundles/"))
        elif path not in self.answers:
            route.fulfill(status=404, json={"detail": f"There is no {path}."})
        elif self.answers[path] is not None:
            route.fulfill(json=self.answers[path])

    def count(self, path: str) -> int:
        """How often that was asked for."""
        return self.asked.count(path)
