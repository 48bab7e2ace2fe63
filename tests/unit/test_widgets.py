"""The widgets' Python side: what the browser is told, and the picture where no widget can run."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any
from unittest.mock import Mock

import pytest

import vidlab.widgets
from tests.unit.labs import silent_server
from vidlab.client import Client
from vidlab.errors import DependencyAway, LabNotRunning
from vidlab.widgets import Dashboard, Lag, Player, Timeline, Upload, base
from vidlab.widgets.base import LabWidget

VIEW = "application/vnd.jupyter.widget-view+json"
ADDRESSES = {"api": "http://127.0.0.1:1", "control": "http://127.0.0.1:2", "secret": "s", "token": ""}
VIDEO = {
    "video_hash": "h",
    "title": "a <b> film",
    "master_url": "http://127.0.0.1:1/media/h/hls/master.m3u8",
    "thumbnail_url": "http://127.0.0.1:1/media/h/thumbnail.jpg",
}


def lab(**answers: Any) -> Any:
    client = Mock(**{f"{name}.return_value": answer for name, answer in answers.items()})
    client.within.return_value = client
    return Mock(addresses=ADDRESSES, client=client)


def shown(widget: LabWidget) -> dict[str, Any]:
    made = widget._repr_mimebundle_()
    assert made
    return made[0]


def test_a_widget_tells_the_browser_where_the_lab_is() -> None:
    state = Upload(lab()).get_state()
    assert state["addresses"] == ADDRESSES
    assert "render" in state["_esm"]
    assert ".vidlab-upload" in state["_css"]
    assert state["chunk_bytes"] == 8 * 1024 * 1024


def test_each_leaves_a_picture_beside_the_widget() -> None:
    found = shown(Upload(lab()))
    assert VIEW in found
    assert "lab.upload(FILE)" in found["text/html"]


def test_the_players_picture_names_the_video_and_escapes_it() -> None:
    picture = Player(lab(video=VIDEO), video="h").picture()
    assert "a &lt;b&gt; film" in picture
    assert VIDEO["master_url"] in picture


def test_without_a_video_it_is_the_newest_that_is_completed() -> None:
    player = Player(lab=lab(videos=[VIDEO]))
    assert player.video_hash == ""
    assert VIDEO["master_url"] in player.picture()
    assert "No completed video" in Player(lab=lab(videos=[])).picture()


def test_a_lab_that_is_down_is_said_in_the_picture() -> None:
    away = lab()
    away.client.video.side_effect = DependencyAway(name="api", why="refused")
    assert "api does not answer" in shown(Player(away, video="h"))["text/html"]


@pytest.mark.parametrize("kind", [Dashboard, Lag, Player, Timeline])
def test_a_lab_that_hangs_holds_up_no_widget(kind: type[LabWidget], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "SOON", 0.6)
    with silent_server() as url, closing(Client(url)) as client:
        widget = kind(
            Mock(addresses=ADDRESSES, client=client, **{"runner.status.side_effect": LabNotRunning(state="/")})
        )
        began = time.monotonic()
        made = shown(widget)
        assert time.monotonic() - began < 5, "far less than the patience for one answer"
    assert VIEW in made
    assert "api does not answer" in made["text/html"]


def test_a_picture_that_cannot_be_drawn_keeps_no_widget_from_being_shown(caplog: pytest.LogCaptureFixture) -> None:
    made = shown(Lag(lab(live={"lag": [{"group": "g"}]})))
    assert VIEW in made
    assert "no picture of this widget" in made["text/html"]
    assert "KeyError" in caplog.text


def test_a_name_that_is_no_widget_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="Telescope"):
        _ = vidlab.widgets.Telescope
    assert vidlab.widgets.Upload is Upload
