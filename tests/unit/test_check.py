"""Each anomaly is planted, and the checker finds it, nothing else, and points at what shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.unit.world import BEGAN, END, HASH, SEGMENT, WORKER, World, at, found, line, span
from vidlab import paths
from vidlab.jobs import Task
from vidlab.lab import check as module
from vidlab.lab.case import Terms
from vidlab.lab.evidence import Stray, Viewing
from vidlab.lab.history import COMPLETED, End, History
from vidlab.lab.history import Kind as LineKind
from vidlab.lab.scratch import Scratch
from vidlab.lab.verdict import Kind
from vidlab.models import State, Status
from vidlab.observe.kafka import PartitionLag
from vidlab.storage import Blob
from vidlab.store.snapshot import Posted


@dataclass(frozen=True)
class Plant:
    """An anomaly: how it is planted, and what must be found."""

    found: str
    spoil: Callable[[World], Any]
    #: The events that show it.
    events: tuple[int, ...] = ()
    #: Words in what else shows it.
    shows: str = ""


# -- lost


def no_row(world: World) -> None:
    world.row, world.jobs, world.spans, world.viewing, world.blobs = None, {}, [], None, {}


def no_row_and_no_event(world: World) -> None:
    no_row(world)
    world.events.clear()


def no_row_told_by_events_alone(world: World) -> None:
    no_row(world)
    world.lines.clear()


def uploading_again(world: World) -> None:
    world.change(status=Status.UPLOADING, finalized_at=None)


def hidden(world: World) -> None:
    world.change(status=Status.DELETING)


def no_original(world: World) -> None:
    del world.blobs[f"{HASH}/original.mp4"]


# -- stuck


def no_end(world: World) -> None:
    """144p is queued, and nobody works on it."""
    world.change(status=Status.PROCESSING, ended_at=None)
    world.forget(10)
    world.spans = []
    world.job("144p", state=State.QUEUED)
    world.job("master", state=State.WAITING)


def no_end_after_retry(world: World) -> None:
    no_end(world)
    world.tell("failed", "144p")
    world.tell("video_failed", "144p")
    world.tell("retried", "144p")


def not_removed(world: World) -> None:
    hidden(world)
    world.tell("deleting")


def not_sent(world: World) -> None:
    no_end(world)
    world.now = at(30)
    world.posted.append(
        Posted(id=7, topic="video_processing", key=HASH, created_at=BEGAN - (at(60) - BEGAN), sent_at=None)
    )


def not_read(world: World) -> None:
    world.lag.append(PartitionLag("video_processing_144p", "video_processing", 3, 5, 7, 2))


# -- twice


def failed_then_completed(world: World) -> None:
    world.events[-1] = replace(world.events[-1], kind="video_failed")
    world.tell("completed")


def claims_144p(world: World, fence: int) -> int:
    world.forget(11)
    return world.tell("claimed", "144p", "worker-144p.2", fence)


def goes_on_to_the_end(world: World) -> None:
    for kind, stage in (("done", "144p"), ("claimed", "master"), ("done", "master"), ("completed", None)):
        world.tell(kind, stage, fence=2 if stage == "144p" else 1)


def two_claims_with_one_fence(world: World) -> None:
    world.forget(11)
    world.tell("lease_expired", "144p", "keeper", 1)
    world.tell("claimed", "144p", "worker-144p.2", 1)
    goes_on_to_the_end(world)


def two_workers(world: World) -> None:
    claims_144p(world, fence=2)
    goes_on_to_the_end(world)
    world.job("144p", fence=2)
    world.blobs = {path: replace(blob, fence=2) if "/144p/" in path else blob for path, blob in world.blobs.items()}


def encoded_without_a_claim(world: World) -> None:
    world.spans.append(span(9, "144p", "encode"))


# -- wrong


def segment_missing(world: World) -> None:
    del world.blobs[SEGMENT]
    world.viewing = Viewing(listed=("144p/playlist.m3u8",), problems=(f"{SEGMENT}: cannot be fetched: 404", "more"))


def segment_does_not_decode(world: World) -> None:
    world.viewing = Viewing(listed=("144p/playlist.m3u8",), problems=("segment_000.ts: Invalid data",))


def master_lists_what_is_not_there(world: World) -> None:
    world.viewing = Viewing(listed=("144p/playlist.m3u8", "4320p/playlist.m3u8"), problems=())


def master_lists_too_little(world: World) -> None:
    world.viewing = Viewing(listed=(), problems=())


def segment_missing_and_not_played(world: World) -> None:
    world.viewing = None
    del world.blobs[SEGMENT]


def thumbnail_missing(world: World) -> None:
    del world.blobs[paths.thumbnail_path(HASH)]


def written_by_a_woken_worker(world: World) -> None:
    world.blobs[SEGMENT] = replace(world.blobs[SEGMENT], fence=0)


def column_false(world: World) -> None:
    assert world.row
    world.change(done={**world.row.done, "144p": False})


def failed_although_good(world: World) -> None:
    world.fails()
    world.expect(COMPLETED)


def infected_completed(world: World) -> None:
    world.expect(End("failed", "preprocessing"))


def failed_elsewhere(world: World) -> None:
    world.fails()
    world.expect(End("failed", "upload"))


def other_bytes(world: World) -> None:
    world.change(sha256="00" * 32)


def end_told_by_no_event(world: World) -> None:
    world.forget(END - 1)


# -- leaked


def left_in_scratch(world: World) -> None:
    world.scratch.append(Scratch(name=WORKER, files=(f"{WORKER}/source.mp4",), bytes=5, identity=(1, 1)))


def staged(world: World) -> None:
    world.staged[f"{HASH}/original.mp4"] = 3


def orphan(world: World) -> None:
    path = f"{'cd' * 16}/source.mp4"
    world.blobs[path] = Blob(path=path, bytes=1, etag='"1"', fence=1, content_type="")


def segment_of_another_attempt(world: World) -> None:
    path = SEGMENT.replace("000", "777")
    world.blobs[path] = replace(world.blobs[SEGMENT], path=path)


def blobs_of_a_deleted_video(world: World) -> None:
    world.row, world.jobs, world.spans, world.viewing = None, {}, [], None
    world.tell("deleting")
    world.tell("deleted")


def lease_of_an_ended_video(world: World) -> None:
    world.fails("144p")
    world.expect(End("failed", "144p"))
    world.jobs["360p"] = replace(world.jobs["preprocessing"], stage="360p", id=9, state=State.RUNNING, owner=WORKER)


def owner_of_a_job_that_is_done(world: World) -> None:
    world.job("144p", owner=WORKER)


def open_span(world: World) -> None:
    world.spans.append(span(9, "144p", "upload", status="open", ended_at=None))


def stray(world: World) -> None:
    world.strays.append(Stray(pid=4242, began=0.0, command="ffmpeg -i x"))


PLANTS = (
    Plant("lost: no row", no_row, (2,), "request 3"),
    Plant("lost: no row", no_row_and_no_event, (), "request 3"),
    Plant("lost: no row", no_row_told_by_events_alone, (2,)),
    Plant("lost: not finalized", uploading_again, (2,), "request 3"),
    Plant("lost: deleted by nobody", hidden, (END,), "videos row 1"),
    Plant("lost: no original", no_original, (2,), f"{HASH}/original.mp4"),
    Plant("stuck: no end", no_end, (10,), "jobs rows 2, 8"),
    Plant("stuck: no end", no_end_after_retry, (13,), "jobs rows 2, 8"),
    Plant("stuck: not removed", not_removed, (END + 1,), "videos row 1"),
    Plant("stuck: not sent", not_sent, (10,), "outbox row 7"),
    Plant("stuck: not read", not_read, (), "partition 3, offset 5 of 7"),
    Plant("twice: two ends", lambda world: world.tell("completed"), (END, END + 1)),
    Plant("twice: two ends", failed_then_completed, (END, END + 1)),
    Plant("twice: one fence", two_claims_with_one_fence, (11, 13)),
    Plant("twice: two workers", two_workers, (11, 12)),
    Plant("twice: after done", lambda world: world.tell("claimed", "144p", fence=2), (12, END + 1)),
    Plant("twice: after done", lambda world: world.tell("done", "144p", fence=1), (12, END + 1)),
    Plant("twice: more work than claims", encoded_without_a_claim, (11,), "span 0000000000000009"),
    Plant("wrong: does not play", segment_missing, (END,), "master.m3u8"),
    Plant("wrong: does not play", segment_does_not_decode, (END,), "master.m3u8"),
    Plant("wrong: master differs", master_lists_what_is_not_there, (14,), "master.m3u8"),
    Plant("wrong: master differs", master_lists_too_little, (14,), "master.m3u8"),
    Plant("wrong: blob missing", segment_missing_and_not_played, (12,), SEGMENT),
    Plant("wrong: blob missing", thumbnail_missing, (10,), "thumbnail.jpg"),
    Plant("wrong: other fence", written_by_a_woken_worker, (12,), SEGMENT),
    Plant("wrong: not all done", column_false, (END,), "videos row 1"),
    Plant("wrong: not all done", lambda world: world.job("360p", state=State.FAILED), (END,)),
    Plant("wrong: other end", failed_although_good, (7,)),
    Plant("wrong: other end", infected_completed, (END,)),
    Plant("wrong: other end", failed_elsewhere, (7,)),
    Plant("wrong: other bytes", other_bytes, (6,)),
    Plant("wrong: end not told", end_told_by_no_event, (END - 1,), "videos row 1"),
    Plant("leaked: scratch", left_in_scratch, (), f"{WORKER}/source.mp4"),
    Plant("leaked: staged blocks", staged, (END,), "original.mp4"),
    Plant("leaked: orphan blobs", orphan, (), "source.mp4"),
    Plant("leaked: orphan blobs", segment_of_another_attempt, (END,), "777"),
    Plant("leaked: orphan blobs", blobs_of_a_deleted_video, (END + 2,), f"{HASH}/"),
    Plant("leaked: lease", lease_of_an_ended_video, (), "jobs row 9"),
    Plant("leaked: lease", owner_of_a_job_that_is_done, (11,), "jobs row 2"),
    Plant("leaked: open span", open_span, (END,), "span 0000000000000009"),
    Plant("leaked: process", stray, (), "pid 4242"),
)


def test_what_went_well_is_judged_so() -> None:
    verdict = World().judged()
    assert found(verdict) == []
    assert verdict.well
    assert (verdict.videos, verdict.ended, verdict.legal_repeats) == (1, 1, 0)


def test_what_rightly_failed_is_no_anomaly() -> None:
    world = World()
    world.fails()
    verdict = world.judged()
    assert found(verdict) == []
    assert (verdict.videos, verdict.ended) == (1, 1)


@pytest.mark.parametrize("plant", PLANTS, ids=[f"{plant.found}-{number}" for number, plant in enumerate(PLANTS)])
def test_a_planted_anomaly_is_found_alone_and_pointed_at(plant: Plant) -> None:
    world = World()
    plant.spoil(world)
    verdict = world.judged()
    assert found(verdict) == [plant.found]
    anomaly = verdict.anomalies[0]
    assert anomaly.events == plant.events
    assert plant.shows in anomaly.shows
    assert verdict.as_json()[anomaly.kind] == 1


def test_every_rule_has_a_plant() -> None:
    rules = {f"{rule.kind}: {rule.name}" for rule in module.CHECKS}
    rules |= {f"{rule.kind}: {rule.name}" for rule in module.LAB_CHECKS}
    assert rules == {plant.found for plant in PLANTS}


# -- what is no anomaly


def test_a_video_that_still_has_time_is_not_stuck() -> None:
    world = World()
    no_end(world)
    world.now = at(61)  # it was finalized at 1
    assert found(world.judged()) == []
    world.now = at(62)
    assert found(world.judged()) == ["stuck: no end"]
    assert found(world.judged(Terms(bound=100))) == []


def test_the_clock_stands_until_the_last_fault_is_over() -> None:
    world = World()
    no_end(world)
    assert found(world.judged(Terms(since=at(950)))) == []
    assert found(world.judged(Terms(since=at(939)))) == ["stuck: no end"]


def test_a_stuck_video_says_where_it_hangs() -> None:
    world = World()
    no_end(world)
    assert "144p is queued, and Redis does not have it" in world.judged().anomalies[0].text
    world.tasks.append(Task(queue="video_processing_144p", video_hash=HASH, job="144p", taken=False))
    assert "144p is queued;" in world.judged().anomalies[0].text
    world.job("144p", state=State.WAITING)
    world.lag.append(PartitionLag("video_processing_144p", "video_processing", 3, 5, 7, 2))
    assert "144p waits in Kafka, where its group has 2 messages left" in world.judged().anomalies[0].text
    world.job("144p", state=State.RUNNING, owner=WORKER, progress=0.5)
    assert f"144p is worked on by {WORKER}, attempt 1, 50%" in world.judged().anomalies[0].text


@pytest.mark.parametrize("kind", [LineKind.OK, LineKind.UNKNOWN])
def test_what_a_client_deleted_may_be_gone(kind: LineKind) -> None:
    world = World()
    no_row(world)
    world.lines += [line(9, LineKind.INVOKE, "delete", video_hash=HASH), line(9, kind, "delete", video_hash=HASH)]
    verdict = world.judged()
    assert found(verdict) == []
    assert verdict.videos == 0


def test_a_deletion_that_was_refused_excuses_nothing() -> None:
    world = World()
    no_row(world)
    world.lines += [line(9, LineKind.INVOKE, "delete", video_hash=HASH)]
    world.lines += [line(9, LineKind.FAIL, "delete", video_hash=HASH)]
    assert found(world.judged()) == ["lost: no row"]


def test_an_upload_that_nobody_was_told_is_finalized_owes_nothing() -> None:
    world = World()
    no_row(world)
    world.events.clear()
    world.lines = [line for line in world.lines if (line.operation, line.kind) not in _TOLD]
    verdict = world.judged()
    assert found(verdict) == []
    assert verdict.videos == 0


_TOLD = (("finalize", LineKind.OK), ("upload", LineKind.OK))


def test_a_second_end_after_a_retry_is_right() -> None:
    world = World()
    world.events[-1] = replace(world.events[-1], kind="video_failed")
    world.tell("retried", "144p")
    world.tell("completed")
    assert found(world.judged()) == []


def test_an_attempt_that_was_lost_and_done_again_is_legal_and_counted() -> None:
    world = World()
    world.forget(11)
    world.tell("lease_expired", "144p", "keeper", 1)
    world.tell("sent_again", "144p", "keeper", 1)
    world.tell("claimed", "144p", "worker-144p.2", 2)
    goes_on_to_the_end(world)
    world.job("144p", fence=2)
    for path in (SEGMENT, paths.playlist_path(HASH, "144p")):
        world.blobs[path] = replace(world.blobs[path], fence=2)
    world.spans.append(span(9, "144p", "encode"))
    verdict = world.judged()
    assert found(verdict) == []
    assert verdict.legal == {"lease_expired": 1, "sent_again": 1}


def test_what_ran_twice_without_effect_is_counted_apart() -> None:
    world = World()
    for kind in ("refused", "message_repeated", "message_ignored"):
        world.tell(kind, "144p")
    world.tasks.append(Task(queue="video_processing_144p", video_hash=HASH, job="144p", taken=True))
    world.lines.append(line(4, LineKind.OK, "finalize", video_hash=HASH))
    verdict = world.judged()
    assert found(verdict) == []
    assert verdict.legal_repeats == sum(verdict.legal.values()) == 5
    assert verdict.legal == {
        **dict.fromkeys(("refused", "message_repeated", "message_ignored"), 1),
        "task_left": 1,
        "finalize_repeated": 1,
    }


def test_a_rung_that_does_not_apply_repeats_nothing() -> None:
    world = World()
    world.tell("message_ignored", "360p")
    world.events[-1] = replace(world.events[-1], detail="skipped")
    assert world.judged().legal_repeats == 0


def test_work_in_progress_is_not_left_over() -> None:
    world = World()
    no_end(world)
    world.now = at(30)
    world.job("144p", state=State.RUNNING, owner=WORKER)
    left_in_scratch(world)
    world.lag.append(PartitionLag("video_processing_144p", "video_processing", 3, 5, 7, 2))
    assert found(world.judged()) == []


def test_blocks_of_an_upload_that_goes_on_are_not_left_over() -> None:
    world = World()
    world.lines = []
    world.events.clear()
    world.jobs, world.spans, world.blobs, world.viewing = {}, [], {}, None
    world.change(status=Status.UPLOADING, finalized_at=None, ended_at=None)
    staged(world)
    verdict = world.judged()
    assert found(verdict) == []
    assert verdict.videos == 0


def test_what_is_limited_to_some_videos_says_nothing_of_others() -> None:
    world = World()
    not_read(world)
    limited = replace(world.evidence(), only=frozenset({HASH}))
    other = [replace(line, video="other", video_hash="ef" * 16) for line in world.lines]
    history = History((*world.lines, *other))
    assert found(module.check(history, limited)) == []
    assert found(module.check(history, world.evidence())) == ["lost: no row", "stuck: not read"]


def test_nothing_is_said_of_a_video_that_was_deleted_meanwhile() -> None:
    world = World()
    no_row(world)
    assert found(module.check(History(tuple(world.lines)), replace(world.evidence(), gone=frozenset({HASH})))) == []


# -- the verdict


def test_the_smallest_example_of_each_kind_comes_first() -> None:
    world = World()
    world.tell("completed")  # a long story of this video
    orphan(world)
    stray(world)
    other = "ef" * 16
    short = [replace(event, video_hash=other, id=event.id + 100) for event in world.events[-2:]]
    world.events += short
    twice = world.judged().of(Kind.TWICE)
    assert [one.video_hash for one in twice] == [other, HASH]
    kinds = [one.kind for one in world.judged().anomalies]
    assert kinds == sorted(kinds, key=list(Kind).index)


def test_its_json_has_these_keys_and_no_others() -> None:
    world = World()
    segment_missing(world)
    told = json.loads(json.dumps(world.judged().as_json()))
    harm = ["lost", "stuck", "twice", "wrong", "leaked"]
    assert list(told) == ["videos", "ended", *harm, "legal_repeats", "anomalies"]
    assert [told[name] for name in harm] == [0, 0, 0, 1, 0]
    facts = {"kind": "wrong", "check": "does not play", "video_hash": HASH, "stage": None, "events": [END]}
    assert told["anomalies"][0].items() >= facts.items()
