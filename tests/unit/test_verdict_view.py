"""A verdict, drawn for a terminal and for a notebook."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from tests.unit.world import END, HASH, World
from vidlab.lab.verdict import Verdict
from vidlab.views.verdict import EXAMPLES, headline, html, picture


def bad() -> Verdict:
    world = World()
    world.tell("completed")
    return world.judged()


def text(verdict: Verdict) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(picture(verdict))
    return captured.get()


def test_what_is_well_is_said_in_one_line() -> None:
    verdict = World().judged()
    words = "Nothing lost, stuck, twice, wrong or leaked: 1 of 1 videos have ended."
    assert headline(verdict) == words
    assert words in text(verdict)
    assert words in verdict._repr_html_()


def test_an_anomaly_is_shown_with_what_it_points_at() -> None:
    for drawn in (text(bad()), bad()._repr_html_()):
        assert "1 anomaly in 1 videos." in drawn
        assert HASH[:8] in drawn
        assert f"events {END}, {END + 1}" in drawn


def test_nothing_that_is_shown_is_obeyed() -> None:
    evil = "<script>alert(1)</script>\x1b[2J[red]"
    first = replace(bad().anomalies[0], text=evil, shows=evil, check=evil)
    verdict = replace(bad(), anomalies=(first,), legal={evil: 1})
    assert "<script>" not in html(verdict)
    assert html(verdict).count("&lt;script&gt;") == 4
    assert "\x1b" not in html(verdict) + text(verdict)
    assert "[red]" in text(verdict)


def test_of_many_anomalies_some_are_shown_and_all_are_counted() -> None:
    many = replace(bad(), anomalies=bad().anomalies * (EXAMPLES + 3))
    for drawn in (text(many), html(many)):
        assert f"{EXAMPLES + 3} anomalies" in drawn
        assert "and 3 more" in drawn
        assert drawn.count(f"events {END}") == EXAMPLES
