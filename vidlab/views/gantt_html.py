"""One video's spans as a Gantt chart in HTML, where no widget can run. Everything is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vidlab.views.video_html import COLOURS, SHOWN_HASH

#: A row of `GET /videos/{hash}/timeline`.
SpanJson = Mapping[str, Any]

LEAD = 0.25  # of the time after finalize: so much of a long upload is shown
CELL = "padding:1px 12px 1px 0;text-align:left;white-space:nowrap;vertical-align:top"
LANE = "position:relative;width:24em;height:1.9em;border-top:1px solid rgba(128,128,128,.3)"
#: Of a bar, by what it is: where it stands in its lane, and how strong its colour is.
SHAPES = {
    "queue": "top:.2em;height:.9em;opacity:.3",
    "work": "top:.2em;height:.9em",
    "inner": "top:1.25em;height:.45em;opacity:.6",
}
STATUS_COLOURS = {"lost": COLOURS["failed"], "error": COLOURS["failed"]}


@dataclass(frozen=True)
class Axis:
    """From when to when the chart goes."""

    begin: datetime
    end: datetime

    def share(self, moment: datetime) -> float:
        """Where a moment stands, in per cent."""
        part = (moment - self.begin) / (self.end - self.begin) if self.end > self.begin else 0.0
        return 100 * min(1.0, max(0.0, part))


def gantt(video: Mapping[str, Any], spans: Sequence[SpanJson], now: datetime) -> str:
    """A row for each stage in the order of the pipeline; what lasts goes on until `now`."""
    axis = _axis(video, spans, now)
    body = "".join(_row(stage, [one for one in spans if one["stage"] == stage], axis, now) for stage in _stages(video))
    head = f"<b>{html.escape(video['title'] or video['filename'])}</b> <code>{video['video_hash'][:SHOWN_HASH]}</code>"
    return f'<div>{head} {_outcome(video)}<table style="border-collapse:collapse">{body}</table></div>'


def _stages(video: Mapping[str, Any]) -> tuple[str, ...]:
    return ("upload", "preprocessing", *(job["name"] for job in video["profiles"]), "master")


def _axis(video: Mapping[str, Any], spans: Iterable[SpanJson], now: datetime) -> Axis:
    """An upload may have taken hours, with breaks: then only its last part is shown."""
    times = [_times(span, now) for span in spans] or [(now, now)]
    begin, end = min(one for one, _ in times), max(one for _, one in times)
    finalized = _time(video["finalized_at"])
    if finalized and finalized - begin > end - finalized:
        begin = finalized - LEAD * (end - finalized)
    return Axis(begin, end)


def _times(span: SpanJson, now: datetime) -> tuple[datetime, datetime]:
    started = datetime.fromisoformat(span["started_at"])
    return started, _time(span["ended_at"]) or max(now, started)


def _row(stage: str, spans: Sequence[SpanJson], axis: Axis, now: datetime) -> str:
    bars = "".join(_bar(span, axis, now) for span in spans)
    workers = dict.fromkeys(span["process"] for span in spans if _what(span) == "work" and stage != "upload")
    cells = (
        html.escape(stage),
        f'<div style="{LANE}">{bars}</div>',
        html.escape(", ".join(workers)),
        _told(spans, now),
    )
    return f"<tr>{''.join(f'<td style={CELL!r}>{cell}</td>' for cell in cells)}</tr>"


def _bar(span: SpanJson, axis: Axis, now: datetime) -> str:
    started, ended = _times(span, now)
    left, right = axis.share(started), axis.share(ended)
    colour = STATUS_COLOURS.get(span["status"], COLOURS["running"])
    place = f"position:absolute;left:{left:.2f}%;width:{right - left:.2f}%;min-width:1px;background:{colour}"
    return f'<span title="{html.escape(_words(span, now))}" style="{place};{SHAPES[_what(span)]}"></span>'


def _what(span: SpanJson) -> str:
    return "queue" if span["kind"] == "queue" else "inner" if span["parent_id"] else "work"


def _words(span: SpanJson, now: datetime) -> str:
    attempt = f", attempt {span['attempt']}" if span["attempt"] else ""
    status = "" if span["status"] == "ok" else f", {span['status'].replace('_', ' ')}"
    return f"{span['stage']}: {span['name']}{attempt}, {_seconds(span, now):.3f} s{status}"


def _told(spans: Sequence[SpanJson], now: datetime) -> str:
    """The sums, and what went wrong, for who cannot point at a bar."""
    sums = {kind: sum(_seconds(one, now) for one in spans if _what(one) == kind) for kind in ("queue", "work")}
    lost = [f"attempt {one['attempt']} {one['status']}" for one in spans if _what(one) == "work" and _harmed(one)]
    waited = f"waited {sums['queue']:.1f} s" if sums["queue"] else ""
    worked = f"worked {sums['work']:.1f} s" if sums["work"] else ""
    return html.escape(", ".join(part for part in (waited, worked, *lost) if part))


def _harmed(span: SpanJson) -> bool:
    return span["status"] in STATUS_COLOURS


def _seconds(span: SpanJson, now: datetime) -> float:
    started, ended = _times(span, now)
    return (ended - started).total_seconds()


def _outcome(video: Mapping[str, Any]) -> str:
    ended, finalized = _time(video["ended_at"]), _time(video["finalized_at"])
    after = f" {(ended - finalized).total_seconds():.1f} s after finalize" if ended and finalized else ""
    return html.escape(f"{video['status']}{after}")


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
