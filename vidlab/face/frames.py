"""Answers of the lab as data frames."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from vidlab.lab.faults import FAULTS
from vidlab.lab.purposes import purpose
from vidlab.lab.status import LabStatus, ProcessStatus

#: Columns of each frame, in their order; so an empty one has them too.
PROCESSES = ("process", "kind", "state", "pid", "uptime", "restarts", "note")
VIDEOS = ("video_hash", "title", "status", "seconds", "width", "height", "duration", "bytes", "error")
PROFILES = ("profile", "state", "attempt", "progress", "speed", "worker", "error")
SPANS = ("stage", "name", "kind", "process", "attempt", "started_at", "ended_at", "seconds", "status")
EVENTS = ("id", "at", "stage", "kind", "process", "attempt", "fence", "detail")
NEWS = ("at", "source", "kind", "video_hash", "stage", "process", "text")
FAULT = ("name", "target", "seconds", "does", "ends", "expect")


def show_whole_sentences() -> None:
    """Frames of this project hold sentences, which pandas would cut off after 50 characters."""
    pd.set_option("display.max_colwidth", None)


def of(rows: Iterable[Any]) -> pd.DataFrame:
    """Dataclasses of one kind, a row each."""
    return pd.DataFrame([asdict(row) for row in rows])


def processes(found: Sequence[ProcessStatus], doing: Mapping[str, str]) -> pd.DataFrame:
    """By process name; `doing` says what a worker works on."""
    rows = [asdict(one) | {"process": one.name, "note": doing.get(one.name, one.note)} for one in found]
    frame = pd.DataFrame(rows, columns=list(PROCESSES)).set_index("process")
    frame["pid"] = frame["pid"].astype("Int64")  # not there: no pid, and no 4711.0 for the others
    return frame


def purposes(found: Sequence[ProcessStatus]) -> pd.DataFrame:
    """What each process is for."""
    rows = [{"process": one.name, "what it is for": purpose(one.kind)} for one in found]
    return pd.DataFrame(rows, columns=["process", "what it is for"]).set_index("process")


def videos(found: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The answer of `GET /videos`."""
    rows = [{**one, "seconds": _seconds(one["finalized_at"], one["ended_at"]), "error": _reason(one)} for one in found]
    return pd.DataFrame(rows, columns=list(VIDEOS))


def _reason(video: Mapping[str, Any]) -> str:
    error = video["error"]
    return f"{error['stage']}: {error['reason']}" if error else ""


def profiles(video: Mapping[str, Any]) -> pd.DataFrame:
    """A video's profiles, in the table's order."""
    rows = [{**job, "profile": job["name"]} for job in video["profiles"]]
    return pd.DataFrame(rows, columns=list(PROFILES)).set_index("profile")


def spans(found: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The answer of `GET /videos/{hash}/timeline`."""
    rows = [{**one, "seconds": _seconds(one["started_at"], one["ended_at"])} for one in found]
    return _with_times(pd.DataFrame(rows, columns=list(SPANS)), "started_at", "ended_at")


def events(found: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The answer of `GET /videos/{hash}/events`."""
    frame = _with_times(pd.DataFrame(list(found), columns=list(EVENTS)), "at").set_index("id")
    return frame.astype({"attempt": "Int64", "fence": "Int64"})


def news(found: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The events of `GET /live`: what videos and the lab's processes went through last, the oldest first."""
    frame = _with_times(pd.DataFrame(list(found), columns=list(NEWS)), "at")
    return frame.sort_values("at", ignore_index=True, kind="stable")


def faults() -> pd.DataFrame:
    """The table of faults."""
    return pd.DataFrame([{name: getattr(row, name) for name in FAULT} for row in FAULTS.values()]).set_index("name")


def _with_times(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    for column in columns:
        frame[column] = pd.to_datetime(frame[column], format="ISO8601", utc=True)
    return frame


def _seconds(begin: str | None, end: str | None) -> float | None:
    if not (begin and end):
        return None
    return float((pd.Timestamp(end) - pd.Timestamp(begin)).total_seconds())


def headline(text: str, status: LabStatus) -> str:
    """A lab in one line, with a link to its API's document."""
    running = sum(1 for one in status.processes if one.state == "running")
    docs = f' <a href="{html.escape(status.api_url)}/docs" target="_blank">API</a>' if status.api_url else ""
    return f"<div>lab {html.escape(text)}: {running} processes run{docs}</div>"
