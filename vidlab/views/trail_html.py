"""A trail of events as HTML, where no widget can run. Everything is escaped."""

from __future__ import annotations

import html
from datetime import datetime

from vidlab.views.trail import Step, Trail
from vidlab.views.verdict import BAD

CELL = "padding:1px 12px 1px 0;text-align:left;vertical-align:top;overflow-wrap:anywhere"


def trail_table(found: Trail) -> str:
    """A row for each event; the one that shows the anomaly is marked "here"."""
    if not found.steps:
        return ""
    body = "".join(_left_out(step.gap) + _row(step) for step in found.steps)
    return f'<table style="border-collapse:collapse;margin:2px 0 8px">{body}{_left_out(found.more)}</table>'


def _row(step: Step) -> str:
    cells = (
        f'<b style="color:{BAD}">here</b>' if step.here else "",
        str(step.id),
        f"{datetime.fromisoformat(step.at):%H:%M:%S.%f}"[:-3],
        *map(html.escape, (step.stage or "", step.kind.replace("_", " "), step.process, words(step))),
    )
    return f"<tr>{''.join(f'<td style={CELL!r}>{cell}</td>' for cell in cells)}</tr>"


def words(step: Step) -> str:
    """What else is known of an event."""
    attempt = f"attempt {step.attempt}" if step.attempt else ""
    fence = f"fence {step.fence}" if step.fence is not None else ""
    return ", ".join(part for part in (attempt, fence, step.detail) if part)


def _left_out(count: int) -> str:
    words = f"{count} event{'' if count == 1 else 's'} more"
    return f'<tr><td></td><td colspan="6" style="opacity:.7">… {words}</td></tr>' if count else ""
