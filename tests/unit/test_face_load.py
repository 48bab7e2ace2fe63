"""A load that is sent in the background ends with its block, and soon when an error ends that."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.unit.labs import silent_server
from tests.waiting import until
from vidlab.client import Client
from vidlab.errors import NotThere
from vidlab.face.load import Load
from vidlab.lab.workload import Item, items
from vidlab.settings import Settings


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a client of the load sends, which takes no time."""
    names: list[str] = []
    monkeypatch.setattr("vidlab.lab.workload._Sender.send", lambda _self, item, _path: names.append(item.name))
    return names


def load(tmp_path: Path, wanted: tuple[Item, ...], url: str = "http://127.0.0.1:9") -> Load:
    return Load(wanted, Settings(state=tmp_path, api_url=url))


def test_at_the_end_of_the_block_all_are_sent_and_the_bar_says_so(
    tmp_path: Path, sent: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with load(tmp_path, items(3, rate=10)).sending(timeout=60):
        pass
    assert len(sent) == 3
    assert "3 of 3 videos are sent" in capsys.readouterr().out


def _interrupted(begin: Load, when: Callable[[], object] = lambda: True) -> None:
    with begin.sending(timeout=60):
        until(when)
        raise KeyboardInterrupt


def test_what_interrupts_the_block_ends_the_load(tmp_path: Path, sent: list[str]) -> None:
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        _interrupted(load(tmp_path, items(100, rate=1)))
    assert time.monotonic() - began < 20
    assert len(sent) < 20


def test_a_load_that_does_not_end_in_time_is_told(tmp_path: Path, sent: list[str]) -> None:
    with pytest.raises(NotThere, match="100 videos to be sent"), load(tmp_path, items(100, rate=1)).sending(0.2):
        pass
    assert len(sent) < 20


def test_what_is_under_way_to_an_api_that_is_away_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidlab.client.ANSWER", 0.2)
    monkeypatch.setattr("vidlab.client.PAUSES", (0.1,))
    asked = Mock(wraps=Client._ask_once)
    monkeypatch.setattr("vidlab.client.Client._ask_once", lambda *given, **more: asked(*given, **more))
    began = time.monotonic()
    with silent_server() as url, pytest.raises(KeyboardInterrupt):
        _interrupted(load(tmp_path, items(1), url), lambda: asked.called)
    assert time.monotonic() - began < 60, "the patience of a load is twice as long"
