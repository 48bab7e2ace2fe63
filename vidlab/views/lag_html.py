"""Each consumer group's lag as HTML, where no chart can run. Everything is escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from vidlab.views.video_html import CELL, bar


def lag_table(lag: Sequence[Mapping[str, Any]] | None) -> str:
    """The `lag` of `GET /live`: a bar for each group, the longest full; None: Kafka does not answer."""
    if lag is None:
        return "<p>How far the consumer groups are behind is not known: Kafka does not answer.</p>"
    most = max((row["messages"] for row in lag), default=0)
    body = "".join(_row(row, most) for row in lag)
    return f'<div><b>Lag of the consumer groups</b><table style="border-collapse:collapse">{body}</table></div>'


def _row(row: Mapping[str, Any], most: int) -> str:
    messages = row["messages"]
    cells = (
        html.escape(row["group"]),
        bar(messages / most if most else 0.0, "running"),
        _messages(messages),
        _age(row),
    )
    return f"<tr>{''.join(f'<td style={CELL!r}>{cell}</td>' for cell in cells)}</tr>"


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"


def _age(row: Mapping[str, Any]) -> str:
    if not row["messages"]:
        return ""
    return "age not known" if row["seconds"] is None else f"the oldest waits for {row['seconds']:.1f} s"
