"""The Python side of Lag, Timeline and Verdict: what they ask, what they hand to the browser, and their pictures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
import traitlets

from tests.unit.world import END, HASH, World
from vidlab.errors import DependencyAway, UnknownVideo
from vidlab.face import Lab
from vidlab.lab.verdict import Anomaly, Finding, Kind
from vidlab.lab.verdict import Verdict as Judged
from vidlab.widgets import Lag, Timeline, Verdict

WELL = Judged(videos=2, ended=2, legal={"sent again": 3})
AT = "2026-01-02T03:04:05.000+00:00"


def bad() -> Judged:
    world = World()
    world.tell("completed")
    return world.judged()


@dataclass
class StubClient:
    """An API with one video of END + 2 events."""

    away: bool = False
    asked: list[str] = field(default_factory=list)

    def within(self, seconds: float) -> StubClient:
        return self

    def _told(self, video_hash: str) -> None:
        self.asked.append(video_hash)
        if self.away:
            raise DependencyAway(name="api", why="nobody listens")
        if video_hash != HASH:
            raise UnknownVideo(video_hash=video_hash)

    def live(self) -> dict[str, Any]:
        self._told(HASH)
        return {"lag": [{"group": "video_processing_144p", "messages": 7, "seconds": 1.5}]}

    def video(self, video_hash: str) -> dict[str, Any]:
        self._told(video_hash)
        facts = {"title": "one", "filename": "x", "status": "processing", "finalized_at": None, "ended_at": None}
        return {"video_hash": video_hash, "profiles": [], **facts}

    def videos(self, limit: int) -> list[dict[str, Any]]:
        assert limit == 1
        return [self.video(HASH)]

    def timeline(self, video_hash: str) -> list[dict[str, Any]]:
        self._told(video_hash)
        return []

    def events(self, video_hash: str) -> list[dict[str, Any]]:
        self._told(video_hash)
        facts = {"at": AT, "stage": None, "process": "keeper", "attempt": None, "fence": None, "detail": None}
        return [{"id": number, "kind": "told", **facts} for number in range(1, END + 3)]


class StubLab:
    """A lab that judges as it is told."""

    def __init__(self, *verdicts: Judged | DependencyAway) -> None:
        self.addresses = {"api": "http://127.0.0.1:1", "control": "http://127.0.0.1:2", "secret": "s", "token": ""}
        self.client = StubClient()
        self.shown = set[object]()
        self.verdicts = list(verdicts)

    def check(self) -> Judged:
        verdict = self.verdicts.pop(0)
        if isinstance(verdict, DependencyAway):
            raise verdict
        return verdict


@pytest.fixture(autouse=True)
def bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here needs no browser, and no bundles."""
    monkeypatch.setattr("vidlab.widgets.base.read_bundle", lambda name: f"/* {name} */")


def as_lab(lab: StubLab) -> Lab:
    return cast(Lab, lab)


def test_a_verdict_is_asked_of_the_lab_only_where_none_is_given() -> None:
    given = Verdict(as_lab(StubLab()), verdict=WELL)
    assert (given.verdict, given.told["well"], given.told["legal"]) == (WELL, True, {"sent again": 3})
    assert Verdict(as_lab(StubLab(WELL))).verdict == WELL


def test_the_smallest_of_each_kind_is_handed_over_with_what_surrounds_it() -> None:
    found = bad().anomalies[0]
    second = replace(found, text="a larger one", size=99)
    leak = Anomaly.of(Kind.LEAKED, "scratch", Finding(text="a file was left", shows="scratch/left.ts"))
    widget = Verdict(as_lab(StubLab()), verdict=Judged(videos=1, ended=1, anomalies=(found, second, leak)))
    twice, leaked = widget.told["examples"]
    assert (twice["kind"], twice["text"], widget.told["twice"]) == ("twice", found.text, 2)
    assert [step["id"] for step in twice["trail"]["steps"] if step["here"]] == list(found.events)
    assert twice["trail"]["steps"][0]["gap"] == found.events[0] - 4
    assert (leaked["shows"], leaked["trail"]["steps"]) == ("scratch/left.ts", [])
    assert widget.picture().count(">here<") == len(found.events)


def test_of_a_video_that_is_gone_there_is_no_trail() -> None:
    anomaly = replace(bad().anomalies[0], video_hash="cd" * 16)
    widget = Verdict(as_lab(StubLab()), verdict=Judged(videos=1, ended=1, anomalies=(anomaly,)))
    assert widget.told["examples"][0]["trail"] == {"steps": [], "more": 0}
    assert ">here<" not in widget.picture()


def test_who_calls_is_answered_and_judging_again_shows_the_new_verdict() -> None:
    widget = Verdict(as_lab(StubLab(bad(), WELL)))
    widget.call = "a word"
    assert widget.answer == "a word"
    states: list[bool] = []
    widget.observe(lambda change: states.append(change.new), "judging")
    widget.wanted = 1
    assert (widget.verdict, widget.told["well"], states) == (WELL, True, [True, False])


def test_what_keeps_it_from_judging_is_said_and_the_old_verdict_stays() -> None:
    widget = Verdict(as_lab(StubLab(bad(), DependencyAway(name="kafka", why="it is down"), WELL)))
    widget.wanted = 1
    assert "kafka does not answer" in widget.problem
    assert (widget.judging, widget.told["well"]) == (False, False)
    widget.wanted = 2
    assert (widget.problem, widget.told["well"]) == ("", True)


def test_the_timeline_is_of_the_video_that_is_named_or_of_the_newest() -> None:
    for video in (HASH, None):
        widget = Timeline(as_lab(StubLab()), video=video)
        assert widget.video_hash == (video or "")
        assert HASH[:8] in widget.picture()


def test_the_lag_has_a_picture_and_sane_minutes() -> None:
    widget = Lag(as_lab(StubLab()), minutes=2)
    assert widget.minutes == 2
    assert "7 messages" in widget.picture()
    with pytest.raises(traitlets.TraitError):
        Lag(as_lab(StubLab()), minutes=-1)


def test_pictures_say_when_the_lab_does_not_answer() -> None:
    lab = StubLab()
    widgets = [Timeline(as_lab(lab), video=HASH), Lag(as_lab(lab))]
    lab.client.away = True
    for widget in widgets:
        assert "api does not answer: nobody listens" in widget._picture()
