"""The same chunks in a real lab: what the counter gets wrong, blocks get right. And an upload that is broken off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import RunningLab
from tests.waiting import until
from vidlab.clips import make
from vidlab.errors import BadChunk, ChunksMissing, DependencyAway, UnknownVideo, WrongState
from vidlab.face import Lab
from vidlab.lessons import upload as lesson
from vidlab.lessons.sender import Sender
from vidlab.lessons.two_ways import Plan, by_blocks, by_counter

CHUNKS = 6


@pytest.fixture
def face(lab: RunningLab) -> Iterator[Lab]:
    """The lab as notebooks have it; at the end nothing of the lesson is left in it."""
    face = Lab(lab.local)
    yield face
    lesson.tidy(face)
    assert lesson.tidy(face) == 0
    face.client.close()


@pytest.fixture
def clip(lab: RunningLab) -> Path:
    return make("tiny", lab.clips, lab.settings)


@pytest.fixture
def sender(face: Lab, clip: Path) -> Iterator[Sender]:
    with Sender(face, clip, CHUNKS) as made:
        yield made


#: Plan, then file and messages of the counter, then of the blocks.
PLANS = {
    "in order": (Plan(order=[0, 1, 2], of=3), (True, 1), (True, 1)),
    "reversed": (Plan(order=[2, 1, 0], of=3), (True, 1), (True, 1)),
    "repeated": (Plan(order=[0, 1, 1, 2], of=3), (None, 0), (True, 1)),
    "one missing": (Plan(order=[0, 0, 2], of=3), (False, 1), (None, 0)),
    "damaged": (Plan(order=[0, 1, 2], of=3, damaged={1}), (False, 1), (None, 0)),
    "at once": (Plan(order=range(24), of=24, at_once=True), (None, 0), (True, 1)),
}


@pytest.mark.parametrize("name", PLANS)
def test_the_counter_fails_where_blocks_do_not(face: Lab, clip: Path, name: str) -> None:
    plan, counter, blocks = PLANS[name]
    naive, ours = by_counter(face, clip, plan), by_blocks(face, clip, plan)
    assert (naive.right_file, naive.messages) == counter
    assert (ours.right_file, ours.messages) == blocks
    assert face.client.videos(status="uploading") == []


def test_the_counter_moves_each_byte_three_times_and_blocks_once(face: Lab, clip: Path) -> None:
    plan = Plan(order=[0, 1, 2], of=3)
    assert (by_counter(face, clip, plan).moved, by_blocks(face, clip, plan).moved) == (3.0, 1.0)


def test_a_chunk_that_is_refused_is_not_moved_and_one_that_comes_twice_is_twice(face: Lab, clip: Path) -> None:
    assert by_blocks(face, clip, Plan(order=[0, 1, 2], of=3, damaged={1})).moved == pytest.approx(2 / 3, abs=0.1)
    assert by_blocks(face, clip, Plan(order=[0, 1, 1, 2], of=3)).moved == pytest.approx(4 / 3, abs=0.1)


def test_with_kafka_away_the_counters_message_is_never_sent(face: Lab, clip: Path) -> None:
    with lesson.NaiveUploads(face.settings) as naive:
        upload = naive.receive("01 upload", 1, 0, clip.read_bytes())
        with face.fault("kafka-down", seconds=60):
            assert isinstance(lesson.told_by(lambda: naive.finalize(upload)), DependencyAway)
        lesson.wait_until_back(face, "kafka")
        assert isinstance(lesson.told_by(lambda: naive.finalize(upload)), WrongState)
        assert naive.messages() == 0


def test_with_kafka_away_our_message_waits_in_the_outbox_and_goes_by_itself(face: Lab, sender: Sender) -> None:
    sender.send_missing()
    with face.fault("kafka-down", seconds=60):
        assert sender.finalize()["finalized_at"]
        (waiting,) = lesson.outbox(face, sender)["sent at"]
        assert waiting is None
    lesson.wait_until_back(face, "kafka")
    until(lambda: lesson.outbox(face, sender)["sent at"].notna().iloc[0], "the message was sent")
    face.wait(sender.video_hash)


def test_of_finishers_at_once_blocks_tell_the_pipeline_once(face: Lab, clip: Path) -> None:
    ours = by_blocks(face, clip, Plan(order=[0, 1, 2], of=3, finishers=6))
    assert (ours.told, ours.messages, ours.right_file) == ("yes, 6 times", 1, True)


def test_after_a_break_only_what_is_missing_goes(face: Lab, clip: Path, sender: Sender) -> None:
    for number in range(3):
        sender.send(number)
    sent, whole = (int(number.replace(",", "")) for number in re.findall(r"[\d,]+", sender.cut_off(3)))
    assert sent == whole // 2
    told = sender.progress()
    assert (told["received"], told["missing"]) == ([[0, 2]], [[3, 5]])
    with Sender(face, clip, CHUNKS, key=sender.key) as again:
        assert again.send_missing()["missing"] == []
        assert again.video_hash == sender.video_hash
        assert again.sent == clip.stat().st_size - 2 * sender.file.length(0)  # chunk 0 went once more
        assert again.finalize()["finalized_at"] == again.finalize()["finalized_at"]
        with pytest.raises(WrongState, match="over"):
            again.send(0)
    assert len(lesson.blocks(face, sender)) == CHUNKS


def test_a_damaged_chunk_stores_nothing(face: Lab, sender: Sender) -> None:
    sender.send(0)
    with pytest.raises(BadChunk, match="SHA-256"):
        sender.send(1, damaged=True)
    assert sender.progress()["received"] == [[0, 0]]
    assert list(lesson.blocks(face, sender)["block id"]) == ["00000"]


def test_what_is_missing_is_told_as_ranges(sender: Sender) -> None:
    for number in (0, 1, 4):
        sender.send(number)
    with pytest.raises(ChunksMissing) as told:
        sender.finalize()
    assert told.value.facts["ranges"] == [[2, 3], [5, 5]]


def test_an_upload_that_was_tidied_away_is_unknown(face: Lab, sender: Sender) -> None:
    sender.send(0)
    assert lesson.tidy(face) == 1
    with pytest.raises(UnknownVideo):
        sender.progress()
