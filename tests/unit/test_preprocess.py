"""What cannot be re-muxed is encoded after all."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from vidlab.errors import FFmpegFailed
from vidlab.normalise import Plan
from vidlab.pipeline import preprocess

REMUX = Plan(action="remux", reasons=("it needs nothing",))


@pytest.fixture
def actions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The actions that were tried; re-muxing fails."""
    tried: list[str] = []

    def command(original: Path, source: Path, media: object, plan: Plan, settings: object) -> list[str]:
        tried.append(plan.action)
        return [plan.action]

    def run(command: list[str], *_: object, **__: object) -> None:
        if command == ["remux"]:
            raise FFmpegFailed(code=1, why="odd packets", log=[])

    monkeypatch.setattr(preprocess, "normalise_command", command)
    monkeypatch.setattr(preprocess, "run", run)
    return tried


def attempt(mode: str) -> Mock:
    return Mock(settings=Mock(normalise=mode))


def test_a_failed_remux_becomes_an_encode_and_says_why(actions: list[str], tmp_path: Path) -> None:
    plan = preprocess._normalise(attempt("auto"), REMUX, Mock(), tmp_path / "a", tmp_path / "b")
    assert actions == ["remux", "encode"]
    assert str(plan) == "encoded: it could not be re-muxed: odd packets"


def test_never_means_never(actions: list[str], tmp_path: Path) -> None:
    with pytest.raises(FFmpegFailed):
        preprocess._normalise(attempt("never"), REMUX, Mock(), tmp_path / "a", tmp_path / "b")
    assert actions == ["remux"]
