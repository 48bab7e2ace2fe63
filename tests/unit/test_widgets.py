"""The widgets' Python side: what the browser is told, and the picture where no widget can run."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

import vidlab.widgets
from vidlab.errors import DependencyAway
from vidlab.widgets.base import LabWidget
from vidlab.widgets.player import Player
from vidlab.widgets.upload import Upload

ADDRESSES = {"api": "http://127.0.0.1:1", "control": "http://127.0.0.1:2", "secret": "s", "token": ""}
VIDEO = {
    "video_hash": "h",
    "title": "a <b> film",
    "master_url": "http://127.0.0.1:1/media/h/hls/master.m3u8",
    "thumbnail_url": "http://127.0.0.1:1/media/h/thumbnail.jpg",
}


def lab(**answers: Any) -> Any:
    client = Mock(**{f"{name}.return_value": answer for name, answer in answers.items()})
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
    assert "application/vnd.jupyter.widget-view+json" in found
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
    assert "api does not answer" in Player(away, video="h").picture()


def test_a_name_that_is_no_widget_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="Telescope"):
        _ = vidlab.widgets.Telescope
    assert vidlab.widgets.Upload is Upload
