"""What is shown while a cell waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vidlab.face import bars


class Place:
    """Stands in for a display that can be changed."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def update(self, shown: Any) -> None:
        self.shown.append(shown._repr_html_())


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    """Of the notebook in which the test seems to run."""
    made = Place()

    def display(shown: Any, *, display_id: bool) -> Place:
        assert display_id
        assert not made.shown, "one display, that is changed afterwards"
        made.update(shown)
        return made

    monkeypatch.setattr(bars, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", display)
    return made


def test_where_there_is_no_notebook_a_line_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert not bars.in_notebook()
    with bars.sending("clip.mp4") as on_bytes:
        for done in (0, 50, 100, 100):
            on_bytes(done, 100)
    assert capsys.readouterr().out == "clip.mp4: sent\n"


def test_in_a_notebook_one_place_changes(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with bars.counting("videos are sent", 4) as on_sent:
        for done in (1, 1, 4):
            on_sent(done)
    assert ["1 of 4" in place.shown[0], "4 of 4" in place.shown[1]] == [True, True]
    assert len(place.shown) == 2, "what does not change is not sent again"
    assert capsys.readouterr().out == ""


def test_what_was_done_says_how_it_ended(place: Place) -> None:
    with bars.doing("taking the lab down"):
        pass
    assert place.shown == ["<div>taking the lab down ...</div>", "<div>taking the lab down: done</div>"]


def _interrupted(begin: Callable[[], Any]) -> None:
    with begin():
        raise KeyboardInterrupt


def test_what_was_interrupted_does_not_seem_done(place: Place) -> None:
    with pytest.raises(KeyboardInterrupt):
        _interrupted(lambda: bars.doing("looking"))
    assert place.shown[-1] == "<div>looking: not finished</div>"


def test_names_are_escaped(place: Place) -> None:
    with bars.sending("<script>.mp4") as on_bytes:
        on_bytes(1, 2)
    assert "<script>" not in place.shown[0]
    assert "50%" in place.shown[0]
