"""What the lesson on the fan-out does to a whole lab, and that the lab is as before afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import vidlab
from tests.acceptance.test_messages import forget_all
from tests.lab import RunningLab
from tests.waiting import until
from vidlab.face import Lab
from vidlab.lessons import fanout as lesson
from vidlab.lessons.groups import ANSWER, PREFIX, Groups
from vidlab.lessons.observer import Note, Observer
from vidlab.profiles import PROFILES, Topic


@pytest.fixture(scope="module")
def face(lab: RunningLab) -> Iterator[Lab]:
    connected = vidlab.connect(lab.settings.state)
    yield connected
    connected._forget()


@pytest.fixture(autouse=True)
def as_before(face: Lab) -> Iterator[None]:
    """No group, no topic and no process more than before."""
    processes = sorted(face.status().index)
    yield
    assert sorted(face.status().index) == processes
    assert Groups(face.settings).names() == []
    until(lambda: not topics(face), "the lesson's topics are gone")


def topics(face: Lab) -> list[str]:
    found = Groups(face.settings).admin.list_topics(timeout=ANSWER).topics
    return [name for name in found if name.startswith(PREFIX)]


def test_members_of_one_group_share_and_groups_all_get_everything(face: Lab) -> None:
    assert set(lesson.deliver(face, 6, one_group=True).sum(axis=1)) == {1}
    assert lesson.deliver(face, 6, one_group=False).to_numpy().min() == 1


def test_what_kafka_has_forgotten_is_not_waited_for(face: Lab, lab: RunningLab) -> None:
    forget_all(lab, Topic.PROCESSING)
    assert lesson.standing(face) == 0
    face.upload("tiny").wait()
    assert lesson.standing(face) == 1
    with Observer(face.settings) as late:
        late.wait_for_count(1)


def test_an_observer_sees_a_video_and_nobody_waits_for_it(face: Lab) -> None:
    before, standing, others = lesson.offsets(face), lesson.standing(face), lesson.others(face)
    with Observer(face.settings) as seventh:
        seventh.wait_for_count(standing)
        video = face.upload("tiny").wait()
        seventh.wait_for_count(standing + 1)
    assert video.status == "completed"
    assert seventh.notes[-1].key == video.video_hash
    assert lesson.others(face) == others
    assert set((lesson.offsets(face) - before).sum()) == {1}
    replayed = lesson.replay(face, "144p", seventh.notes[-1])
    assert (replayed.ignored, replayed.begun) == (1, 0)
    assert video.refresh().status == "completed"


@pytest.mark.parametrize(("consumers", "counts"), [(4, [2, 2, 1, 1]), (7, [1, 1, 1, 1, 1, 1, 0])])
def test_partitions_are_shared_out_anew(face: Lab, consumers: int, counts: list[int]) -> None:
    seen = lesson.rebalance(face, "144p", consumers)
    assert seen.counts == counts
    assert len(seen.idle) == counts.count(0)
    assert 0 < seen.seconds < 60
    assert len(seen.table) > 2


def interrupt(*_: object) -> float:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("where", "act"),
    [
        ("Watch.until_settled", lambda face, _note: lesson.rebalance(face, "144p", 3)),
        ("Groups.put_back", lambda face, note: lesson.replay(face, "144p", note)),
    ],
)
def test_what_is_interrupted_is_taken_back(
    face: Lab, monkeypatch: pytest.MonkeyPatch, where: str, act: Callable[[Lab, Note], object]
) -> None:
    with Observer(face.settings) as observer:
        face.upload("tiny").wait()
        observer.wait_for_count(1)
    with monkeypatch.context() as patch:
        patch.setattr(f"vidlab.lessons.groups.{where}", interrupt)
        with pytest.raises(KeyboardInterrupt):
            act(face, observer.notes[-1])
    group = Groups(face.settings)
    until(lambda: group.look("video_processing_144p").is_settled(1, 6), "one consumer has all again")


#: Trouble, careful; the lost, those that came twice.
READERS: tuple[tuple[lesson.Trouble, bool, list[int], list[int]], ...] = (
    (lesson.Trouble(messages=6, away=(2, 3)), False, [2, 3], []),
    (lesson.Trouble(messages=6, away=(2, 3)), True, [], []),
    (lesson.Trouble(messages=6, killed_at=3), False, [3], []),
    (lesson.Trouble(messages=6, killed_at=3), True, [], []),
    (lesson.Trouble(messages=6, killed_at=3, commit_every=5.0), False, [], [0, 1, 2]),
    (lesson.Trouble(messages=6, killed_at=3, handed_on=True), False, [], []),
    (lesson.Trouble(messages=6, killed_at=3, handed_on=True), True, [], [3]),
)


@pytest.mark.parametrize(("trouble", "careful", "lost", "twice"), READERS)
def test_the_careless_reader_loses_and_the_careful_one_repeats(
    face: Lab, trouble: lesson.Trouble, careful: bool, lost: list[int], twice: list[int]
) -> None:
    outcome = lesson.run(face, trouble, careful=careful)
    assert (outcome.lost, outcome.twice) == (lost, twice)
    if trouble.killed_at is not None:
        assert outcome.committed == (3 if careful else 0 if trouble.commit_every > 1 else 4)


def test_what_is_not_json_blocks_a_reader_that_tries_for_ever_and_is_parked_by_the_lab(face: Lab) -> None:
    stuck = lesson.blocked(face, messages=6, at=2)
    assert (stuck.handed_on, stuck.behind) == (2, 3)
    assert stuck.taken > 1
    before = lesson.offsets(face)["end"]
    face.fault("message-not-json")
    parked = lesson.parked(face)
    assert sorted(parked.index) == sorted(profile.stage.group for profile in PROFILES)
    assert set(parked["reason"].str.contains("JSON")) == {True}
    grown = lesson.offsets(face)["end"] - before
    (partition,) = grown[grown == 1].index
    assert set(parked["partition"]) == {str(partition)}
    assert set(parked["offset"]) == {str(before[partition])}


def test_a_silent_consumer_falls_behind_and_catches_up(face: Lab) -> None:
    with lesson.silent(face, "consumer-144p"):
        videos = [face.upload("tiny") for _ in range(2)]
        assert lesson.fallen_behind(face, "144p", 2) == 2
        assert face.status().loc["consumer-144p.1", "state"] == "paused"
    assert lesson.caught_up(face, "144p") < 60
    assert [video.status for video in face.wait(videos)] == ["completed"] * 2


def test_of_two_members_on_one_partition_one_idles(face: Lab) -> None:
    held = lesson.members_of(face, members=2, partitions=1)
    assert sorted(held.values()) == [[], [0]]


def test_what_a_killed_kernel_left_is_removed(face: Lab) -> None:
    topic = lesson.KeyedTopic(face.settings)
    topic.__enter__()
    with Observer(face.settings, topic.name, group=f"{PREFIX}left") as observer:
        observer.wait_for(lambda: bool(observer.groups.names()), "its group to be there")
    assert lesson.tidy(face) == 2
    assert lesson.tidy(face) == 0
