from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import ClientDisconnect

from tests.unit.asgi import Http
from vidlab.api.app import create_app
from vidlab.api.problems import HANDLERS, _drop_rest
from vidlab.errors import ChunksMissing, DependencyAway, LabFailed, LabNotRunning, RangeNotSatisfiable, UnknownVideo
from vidlab.problem import as_problem, from_problem
from vidlab.settings import Settings


def raising(error: Exception) -> Http:
    app = FastAPI(exception_handlers=HANDLERS)

    @app.get("/it/{number}")
    def it(number: int) -> None:
        raise error

    return Http(app, strict=False)


def test_an_error_of_ours_is_a_problem_document() -> None:
    answer = raising(UnknownVideo(video_hash="x")).get("/it/1")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:vidlab:problem:unknown-video",
        "title": "Unknown video",
        "status": 404,
        "detail": "There is no video x.",
        "hint": "`vidlab videos` lists those that there are.",
        "error": "UnknownVideo",
        "facts": {"video_hash": "x"},
        "instance": "/it/1",
    }


def test_who_is_away_comes_with_a_time_to_ask_again() -> None:
    answer = raising(DependencyAway(name="azurite", why="refused")).get("/it/1")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


def test_a_range_outside_comes_with_the_size() -> None:
    answer = raising(RangeNotSatisfiable(size=7)).get("/it/1")
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */7")


def test_a_fact_that_json_does_not_know_is_told_as_text() -> None:
    assert raising(LabNotRunning(state=Path("/lab"))).get("/it/1").json()["facts"] == {"state": "/lab"}


def test_what_is_not_foreseen_does_not_leak() -> None:
    answer = raising(RuntimeError("the password is swordfish")).get("/it/1")
    assert answer.status_code == 500
    assert "swordfish" not in answer.text
    assert "vidlab logs api" in answer.json()["detail"]


def test_a_client_that_left_is_no_error_of_ours() -> None:
    assert raising(ClientDisconnect()).get("/it/1").status_code == 499


@pytest.mark.parametrize(
    ("ask", "status", "detail"),
    [
        (lambda client: client.get("/it/one"), 422, "The request cannot be understood: number: Input should be"),
        (lambda client: client.get("/that"), 404, "There is no /that; /docs lists what there is."),
        (lambda client: client.post("/it/1"), 405, "/it/1 does not take POST."),
    ],
    ids=["invalid", "unknown", "method"],
)
def test_what_the_framework_refuses_is_a_problem_too(
    ask: Callable[[Http], httpx.Response], status: int, detail: str
) -> None:
    answer = ask(raising(RuntimeError()))
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == status
    assert found["detail"].startswith(detail)


def test_an_error_is_the_same_on_the_other_side() -> None:
    error = ChunksMissing(video_hash="x", total=3, missing="0 to 1", ranges=[[0, 1]])
    there = from_problem(as_problem(error))
    assert type(there) is ChunksMissing
    assert (str(there), there.facts) == (str(error), error.facts)


def test_a_problem_of_somebody_else_keeps_its_sentence() -> None:
    there = from_problem({"title": "Bad Gateway", "detail": "No such host."})
    assert type(there) is LabFailed
    assert str(there) == "No such host."


def test_what_nobody_wants_is_read_until_it_ends() -> None:
    bodies = [{"type": "http.request", "more_body": True}] * 3 + [{"type": "http.request"}]

    async def receive() -> dict[str, object]:
        return bodies.pop(0)

    asyncio.run(_drop_rest(receive))
    assert bodies == []


def test_all_methods_of_a_path_are_told_when_another_is_tried() -> None:
    http = Http(create_app(Settings(), Mock(), Mock()))
    for path, methods in {"/videos/x": "DELETE, GET", "/videos/upload": "POST", "/docs": "GET"}.items():
        answer = http.request("PUT", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)
