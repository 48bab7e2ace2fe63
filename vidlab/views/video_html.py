"""One video's way as HTML, for notebooks: a bar for each stage, waiting apart from work. Everything is escaped."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime

from vidlab.views.video import Row, VideoJson, rows

MOST_BARS = 3  # videos; of more a line each is shown
SHOWN_HASH = 8  # characters

#: Of what a bar is filled with; legible on white and on black.
COLOURS = {"done": "#2da44e", "failed": "#cf222e", "running": "#0a7ea4", "skipped": "#8c959f"}
TRACK = (
    "display:inline-block;width:14em;height:.7em;border-radius:.35em;background:rgba(128,128,128,.25);overflow:hidden"
)
CELL = "padding:1px 12px 1px 0;text-align:left;white-space:nowrap"


def bar(fraction: float, state: str) -> str:
    """A bar that is filled so far; `fraction` is 0.0 to 1.0."""
    colour = COLOURS.get(state, COLOURS["running"])
    fill = f"display:block;height:100%;width:{100 * min(1.0, max(0.0, fraction)):.1f}%;background:{colour}"
    return f'<span style="{TRACK}"><span style="{fill}"></span></span>'


def sending_bar(name: str, done: int, total: int) -> str:
    """The bar of an upload, in bytes."""
    share = done / total if total else 1.0
    return f"<div>{html.escape(name)} {bar(share, 'done' if done == total else 'running')} {share:.0%}</div>"


def counting_bar(what: str, done: int, total: int) -> str:
    """The bar of things of which some are there."""
    share = done / total if total else 1.0
    return f"<div>{bar(share, 'done' if done == total else 'running')} {done} of {total} {html.escape(what)}</div>"


def bars(videos: Sequence[VideoJson], count: int, now: datetime) -> str:
    """A block for each of a few videos; of many how they stand. `count` are awaited."""
    if count <= MOST_BARS:
        return "".join(block(video, now) for video in videos)
    ended = sum(1 for video in videos if video["ended_at"])
    return f"<div>{bar(ended / count, 'done')} {ended} of {count} videos have ended</div>"


def block(video: VideoJson, now: datetime) -> str:
    """One video: its name and status, and a bar for each stage."""
    title = html.escape(video["title"] or video["filename"])
    head = (
        f"<b>{title}</b> <code>{video['video_hash'][:SHOWN_HASH]}</code> {html.escape(video['status'])}{_after(video)}"
    )
    body = "".join(_line(row) for row in rows(video, now))
    return f'<div style="margin:4px 0">{head}<table style="border-collapse:collapse">{body}</table>{_why(video)}</div>'


def _after(video: VideoJson) -> str:
    """How long it took from finalize to its end."""
    if not (video["ended_at"] and video["finalized_at"]):
        return ""
    ended, finalized = (datetime.fromisoformat(video[name]) for name in ("ended_at", "finalized_at"))
    return f" {(ended - finalized).total_seconds():.1f} s after finalize"


def _why(video: VideoJson) -> str:
    error = video["error"]
    return f"<div>failed in {html.escape(error['stage'])}: {html.escape(error['reason'])}</div>" if error else ""


def _line(row: Row) -> str:
    speed = f"{row.speed:.1f}x" if row.speed else ""
    note = row.note or (f"{row.fraction:.0%}" if row.state == "running" else "" if row.state == "done" else row.state)
    texts = (_seconds("waited", row.waited), _seconds("worked", row.worked), speed, note)
    drawn = "" if row.state == "skipped" else bar(row.fraction, row.state)
    cells = (html.escape(row.name), drawn, *map(html.escape, texts))
    return f"<tr>{''.join(f'<td style={CELL!r}>{cell}</td>' for cell in cells)}</tr>"


def _seconds(word: str, value: float | None) -> str:
    return f"{word} {value:.1f} s" if value is not None else ""
