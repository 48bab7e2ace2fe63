"""A verdict, drawn: numbers on top, then an example of each anomaly, the smallest first. Everything is escaped."""

from __future__ import annotations

import html as escaping
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from vidlab.lab.verdict import Anomaly, Verdict

SHOWN_HASH = 8  # characters
EXAMPLES = 12  # anomalies shown; the number of all stands above them

GOOD, BAD = "#1a7f37", "#cf222e"  # legible on white and on black
CELL = "padding:2px 14px 2px 0;text-align:left;vertical-align:top;overflow-wrap:anywhere"

NUMBERS = ("videos", "ended", "lost", "stuck", "twice", "wrong", "leaked", "legal_repeats")
#: Of these there must be none.
HARM = NUMBERS[2:7]


def headline(verdict: Verdict) -> str:
    """The verdict in one line."""
    if verdict.well:
        return f"Nothing lost, stuck, twice, wrong or leaked: {verdict.ended} of {verdict.videos} videos have ended."
    found = len(verdict.anomalies)
    return f"{found} {'anomaly' if found == 1 else 'anomalies'} in {verdict.videos} videos."


def points_at(anomaly: Anomaly) -> str:
    """Where to look."""
    numbers = ", ".join(str(number) for number in anomaly.events)
    events = f"event{'s' if len(anomaly.events) > 1 else ''} {numbers}" if numbers else ""
    return "; ".join(part for part in (events, anomaly.shows) if part)


def repeats(verdict: Verdict) -> str:
    """What happened again without harm, by its kind."""
    return ", ".join(f"{kind} {count}" for kind, count in sorted(verdict.legal.items()))


# -- in a terminal


def picture(verdict: Verdict) -> Group:
    """For rich."""
    numbers = Table(*NUMBERS, box=None, header_style="dim")
    told = verdict.as_json()
    numbers.add_row(*(_number(name, told[name]) for name in NUMBERS))
    parts: list[Text | Table] = [numbers]
    if verdict.anomalies:
        parts += [Text(), _examples(verdict)]
    if verdict.legal:
        parts.append(Text(_plain(f"legal: {repeats(verdict)}"), style="dim"))
    parts.append(Text(headline(verdict), style="green" if verdict.well else "red"))
    return Group(*parts)


def _number(name: str, value: int) -> Text:
    return Text(str(value), style="red" if name in HARM and value else "")


def _examples(verdict: Verdict) -> Table:
    table = Table("", "rule", "video", "what", "look at", box=None, header_style="dim")
    for one in verdict.anomalies[:EXAMPLES]:
        cells = (one.check, (one.video_hash or "-")[:SHOWN_HASH], one.text, points_at(one))
        table.add_row(Text(one.kind, style="red"), *(Text(_plain(cell)) for cell in cells))
    if (more := len(verdict.anomalies) - EXAMPLES) > 0:
        table.add_row("", "", "", f"and {more} more")
    return table


def _plain(text: str) -> str:
    """A command line or a reason may hold anything; a terminal obeys some of it."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


# -- in a notebook


def html(verdict: Verdict) -> str:
    """For `_repr_html_`."""
    told = verdict.as_json()
    numbers = _table(NUMBERS, [[_html_number(name, told[name]) for name in NUMBERS]])
    colour = GOOD if verdict.well else BAD
    title = f'<p style="font-weight:600;color:{colour};margin:4px 0">{_safe(headline(verdict))}</p>'
    legal = f'<p style="opacity:.7;margin:4px 0">legal: {_safe(repeats(verdict))}</p>' if verdict.legal else ""
    return f"<div>{title}{numbers}{_html_examples(verdict)}{legal}</div>"


def _html_number(name: str, value: int) -> str:
    bad = name in HARM and value
    return f'<b style="color:{BAD}">{value}</b>' if bad else str(value)


def _html_examples(verdict: Verdict) -> str:
    if not verdict.anomalies:
        return ""
    rows = [
        [
            f'<b style="color:{BAD}">{_safe(one.kind)}</b>',
            f'<span style="white-space:nowrap">{_safe(one.check)}</span>',
            f"<code>{_safe((one.video_hash or '-')[:SHOWN_HASH])}</code>",
            _safe(one.text),
            f"<code>{_safe(points_at(one))}</code>",
        ]
        for one in verdict.anomalies[:EXAMPLES]
    ]
    more = len(verdict.anomalies) - EXAMPLES
    note = f'<p style="opacity:.7;margin:4px 0">and {more} more</p>' if more > 0 else ""
    return _table(("", "rule", "video", "what", "look at"), rows) + note


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Cells are HTML already; heads are ours."""
    head = "".join(f'<th style="{CELL};opacity:.7;font-weight:400">{one}</th>' for one in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f'<table style="border-collapse:collapse;margin:4px 0;color:inherit"><tr>{head}</tr>{body}</table>'


def _cell(content: str) -> str:
    return f'<td style="{CELL}">{content}</td>'


def _safe(text: str) -> str:
    return escaping.escape(_plain(text))
