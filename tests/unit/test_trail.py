"""Which events surround those that show an anomaly."""

from __future__ import annotations

from typing import Any

from vidlab.views.trail import AFTER, BEFORE, LAST, trail
from vidlab.views.trail_html import trail_table


def events(count: int, **of: Any) -> list[dict[str, Any]]:
    usual = {"at": "2026-01-02T03:04:05.678901Z", "stage": "144p", "kind": "claimed", "process": "worker-144p.1"}
    usual |= {"attempt": 1, "fence": 3, "detail": None} | of
    return [usual | {"id": 100 + number} for number in range(count)]


def shown(count: int, *marked: int) -> list[int]:
    return [step.id for step in trail(events(count), marked).steps]


def test_what_surrounds_an_event_in_the_middle_is_shown_with_what_is_left_out() -> None:
    found = trail(events(40), {110})
    assert [step.id for step in found.steps] == [*range(110 - BEFORE, 110 + AFTER + 1)]
    assert [step.id for step in found.steps if step.here] == [110]
    assert (found.steps[0].gap, found.more) == (10 - BEFORE, 40 - 10 - AFTER - 1)


def test_events_far_from_each_other_have_a_gap_between_them() -> None:
    found = trail(events(40), {105, 130})
    assert [step.gap for step in found.steps if step.gap] == [2, 25 - AFTER - BEFORE - 1]
    assert sum(step.here for step in found.steps) == 2
    assert sum(step.gap + 1 for step in found.steps) + found.more == 40


def test_at_both_ends_there_is_only_what_there_is() -> None:
    assert shown(40, 100) == [100, 101, 102]
    assert shown(40, 139) == [136, 137, 138, 139]
    assert trail(events(40), {139}).more == 0


def test_where_no_event_shows_it_the_last_ones_of_its_stage_are_shown() -> None:
    other = [one | {"id": one["id"] + 50} for one in events(10, stage="master")]
    found = trail([*events(20), *other], (), "144p")
    assert [step.id for step in found.steps] == [*range(120 - LAST, 120)]
    assert found.more == 10
    assert [step.id for step in trail([*events(20), *other], (), None).steps] == [*range(160 - LAST, 160)]
    assert trail([], {1}).steps == ()


def test_the_table_marks_the_event_and_obeys_nothing() -> None:
    drawn = trail_table(trail(events(20, detail="<script>"), {110}))
    assert drawn.count(">here<") == 1
    assert "<script>" not in drawn
    assert f"… {10 - BEFORE} events more" in drawn
    assert "03:04:05.678" in drawn
    assert "attempt 1, fence 3" in drawn
    assert trail_table(trail([], ())) == ""
