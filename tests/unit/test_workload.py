"""A load is a table of videos, each with its end; what a client saw tells what certainly happened."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from vidlab import clips
from vidlab.errors import BadChunk, DependencyAway, VidLabError, WrongState
from vidlab.lab.history import COMPLETED, Kind, Writer
from vidlab.lab.workload import REFUSED, SHORT, WitnessClient, expected_end, items, outcome
from vidlab.settings import Settings


def test_items_are_sent_in_turn_at_their_rate() -> None:
    made = items(3, ("tiny", "text"), rate=2.0)
    assert [(item.name, item.due) for item in made] == [("tiny-0000", 0.0), ("text-0001", 0.5), ("tiny-0002", 1.0)]
    assert [item.expected for item in made] == [COMPLETED, REFUSED, COMPLETED]


def test_every_clip_has_an_end() -> None:
    assert {clip.name for clip in clips.BAD if expected_end(clip.name) != REFUSED} == set()
    assert {clip.name for clip in clips.GOOD if expected_end(clip.name) != COMPLETED} == {"fast"}
    assert set(SHORT) <= clips.CLIPS.keys()


def caused(by: Exception) -> VidLabError:
    error = DependencyAway(name="api", why="x")
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (BadChunk(why="it is empty"), Kind.FAIL),
        (WrongState(video_hash="x", status="failed", why="y"), Kind.FAIL),
        (caused(httpx.ConnectError("refused")), Kind.FAIL),
        (caused(httpx.ReadTimeout("late")), Kind.UNKNOWN),
        (caused(httpx.RemoteProtocolError("cut")), Kind.UNKNOWN),
        (DependencyAway(name="azurite", why="503"), Kind.UNKNOWN),
    ],
)
def test_only_what_certainly_did_not_happen_has_failed(error: VidLabError, kind: Kind) -> None:
    assert outcome(error) == kind


def test_each_try_stands_in_the_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens at that address: the client tries, pauses, and tries again."""
    monkeypatch.setattr("vidlab.client.PAUSES", (0.0, 0.0))
    clip = tmp_path / "tiny-0007.mp4"
    clip.write_bytes(b"x" * 30)
    with Writer(tmp_path, "one") as writer:
        client = WitnessClient(Settings(api_url="http://127.0.0.1:9"), "client.1", writer)
        with pytest.raises(DependencyAway):
            client.send("tiny-0007", clip, chunk_bytes=10)
        client.close()
        (told,) = writer.history().videos
    assert told.video == "one/tiny-0007"
    assert [line.kind for line in told.lines] == [Kind.INVOKE, Kind.FAIL] * 3
    assert {line.operation for line in told.lines} == {"chunk"}
    assert told.lines[0].detail == "chunk 0"
