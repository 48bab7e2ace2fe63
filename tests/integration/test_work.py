"""The task boundary: whatever happens inside, the job ends in the database as it should."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from tests.integration.test_store import claimed, finalized, preprocessed, uploaded
from tests.waiting import until
from vidlab.errors import (
    BlobGone,
    DependencyAway,
    FFmpegFailed,
    HandedBack,
    Infected,
    LeaseLost,
    NotAVideo,
    VidLabError,
)
from vidlab.ffmpeg import Progress
from vidlab.models import Job, Lease, State, Status
from vidlab.paths import original_path, source_path
from vidlab.pipeline.preprocess import preprocess
from vidlab.pipeline.transcode import transcode
from vidlab.pipeline.work import Attempt, Workshop, work
from vidlab.profiles import Size
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.store import Store

SMALL = Size(640, 360)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"beat_seconds": 0.05})


@pytest.fixture
def shop(settings: Settings, store: Store) -> Workshop:
    """A worker's things, with the test's store and no storage."""
    made = Workshop(settings)
    made.__dict__ |= {"store": store, "storage": Mock()}
    return made


@pytest.fixture
def video_hash(store: Store) -> str:
    """A video whose 360p is queued."""
    made = preprocessed(store)
    store.enqueue(made, "360p", "source")
    return made


def raising(error: BaseException) -> Callable[[Attempt], Lease | None]:
    def step(attempt: Attempt) -> Lease | None:
        attempt.file("half").write_text("half a segment")
        raise error

    return step


def job_of(store: Store, video_hash: str, stage: str = "360p") -> Job:
    return next(job for job in store.jobs(video_hash) if job.stage == stage)


BACK = {"stage": "360p", "video_hash": "x"}


@pytest.mark.parametrize(
    ("error", "state", "attempt"),
    [
        (NotAVideo(why="it is text"), State.FAILED, 1),
        (FFmpegFailed(code=1, why="odd", log=[]), State.WAITING, 1),
        (DependencyAway(name="azurite", why="refused"), State.WAITING, 0),
        (HandedBack(**BACK), State.QUEUED, 0),
        (ZeroDivisionError("unforeseen"), State.WAITING, 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_way_out_is_told_to_the_database(
    shop: Workshop, store: Store, video_hash: str, error: Exception, state: State, attempt: int
) -> None:
    work(shop, video_hash, "360p", lambda _: raising(error))
    job = job_of(store, video_hash)
    assert (job.state, job.attempt, job.owner) == (state, attempt, None)
    assert not shop.settings.scratch.exists()
    assert "open" not in {span.status for span in store.spans(video_hash) if span.kind == "work"}


def test_an_infected_file_is_marked(shop: Workshop, store: Store) -> None:
    video_hash = finalized(store)
    store.enqueue(video_hash, "preprocessing", "original")
    work(shop, video_hash, "preprocessing", lambda _: raising(Infected(signature="Eicar")))
    video = store.video(video_hash)
    assert (video.status, video.infected) == (Status.FAILED, True)


def test_beats_tell_the_progress_while_the_work_goes_on(shop: Workshop, store: Store, video_hash: str) -> None:
    seen: list[tuple[float, float | None]] = []

    def step(attempt: Attempt) -> None:
        attempt.report(Progress(fraction=0.5, speed=2.0))
        until(lambda: job_of(store, video_hash).beat >= 3, "it beats")
        job = job_of(store, video_hash)
        seen.append((job.progress, job.speed))
        store.finish_rendition(attempt.lease, {})

    work(shop, video_hash, "360p", lambda _: step)
    assert seen == [(0.5, 2.0)]


def test_a_worker_that_lost_its_lease_is_told_to_stop_and_tells_nothing(
    shop: Workshop, store: Store, video_hash: str
) -> None:
    reasons: list[VidLabError | None] = []

    def step(attempt: Attempt) -> None:
        (running,) = store.in_state(State.RUNNING)
        while not store.free(running):
            (running,) = store.in_state(State.RUNNING)
        until(attempt.stopping, "it is told to stop")
        reasons.append(attempt.stopping())
        attempt.check()

    work(shop, video_hash, "360p", lambda _: step)
    assert "no longer holds the lease" in str(reasons[0])
    assert job_of(store, video_hash).state == State.QUEUED


def test_what_follows_is_done_at_once(shop: Workshop, store: Store, video_hash: str) -> None:
    done: list[str] = []

    def step(attempt: Attempt) -> Lease | None:
        done.append(attempt.lease.stage)
        return claimed(store, video_hash, "480p") if len(done) == 1 else None

    work(shop, video_hash, "360p", lambda _: step)
    assert done == ["360p", "480p"]


def test_a_worker_waits_for_the_database_and_then_ends_its_job(shop: Workshop, store: Store, video_hash: str) -> None:
    away = threading.Event()
    write = store.database.write

    def sometimes() -> object:
        if away.is_set():
            raise DependencyAway(name="database", why="refused")
        return write()

    def step(attempt: Attempt) -> None:
        away.set()
        threading.Timer(1.0, away.clear).start()
        raise NotAVideo(why="it is text")

    store.database.__dict__["write"] = sometimes
    work(shop, video_hash, "360p", lambda _: step)
    assert job_of(store, video_hash).state == State.FAILED


def test_nothing_is_begun_while_the_lab_goes_down(shop: Workshop, store: Store, video_hash: str) -> None:
    shop.going_down.set()
    work(shop, video_hash, "360p", lambda _: raising(AssertionError("it was begun")))
    assert job_of(store, video_hash).state == State.QUEUED


def test_beats_survive_whatever_happens_to_one_of_them(shop: Workshop, store: Store, video_hash: str) -> None:
    beat, calls = store.beat, iter(range(100))

    def sometimes(*words: Any) -> bool:
        if next(calls) == 0:
            raise ZeroDivisionError("unforeseen")
        return beat(*words)

    def step(attempt: Attempt) -> None:
        until(lambda: job_of(store, video_hash).beat >= 2, "it beats again")
        store.finish_rendition(attempt.lease, {})

    store.__dict__["beat"] = sometimes
    work(shop, video_hash, "360p", lambda _: step)
    assert job_of(store, video_hash).state == State.DONE


def test_only_the_time_since_something_went_well_counts_as_an_outage(
    shop: Workshop, store: Store, video_hash: str
) -> None:
    def step(attempt: Attempt) -> None:
        attempt.went_well -= 3600  # as if nothing had gone well for an hour
        attempt.report(Progress(fraction=0.9, speed=1.0))
        raise DependencyAway(name="azurite", why="refused")

    work(shop, video_hash, "360p", lambda _: step)
    job = job_of(store, video_hash)
    assert job.state == State.WAITING
    assert job.away_seconds < shop.settings.patience_seconds


def test_a_reason_may_hold_any_characters(shop: Workshop, store: Store, video_hash: str) -> None:
    work(shop, video_hash, "360p", lambda _: raising(NotAVideo(why="a\x00b\nc" + "x" * 5000)))
    job = job_of(store, video_hash)
    assert job.state == State.FAILED
    assert "a b c" in (job.error or "")


def test_nothing_more_is_stored_once_the_lab_goes_down(shop: Workshop, store: Store, video_hash: str) -> None:
    def step(attempt: Attempt) -> None:
        file = attempt.file("segment_000.ts")
        file.write_bytes(b"x" * 100)
        shop.storage.put_fenced = lambda path, stream, **_: stream.read()  # type: ignore[method-assign]
        shop.going_down.set()
        attempt.store_file("x/segment_000.ts", file)

    work(shop, video_hash, "360p", lambda _: step)
    assert job_of(store, video_hash).state == State.QUEUED


def test_what_a_sleeper_wrote_after_its_video_was_removed_is_removed_too(
    shop: Workshop, store: Store, video_hash: str
) -> None:
    def step(attempt: Attempt) -> None:
        store.delete(video_hash)
        store.remove(video_hash)
        raise LeaseLost(process="x", stage="360p", video_hash=video_hash)

    work(shop, video_hash, "360p", lambda _: step)
    shop.storage.delete_prefix.assert_called_once_with(f"{video_hash}/")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("stage", "step", "path"),
    [("preprocessing", preprocess, original_path), ("360p", transcode, lambda video_hash, _: source_path(video_hash))],
    ids=["original", "source"],
)
def test_other_bytes_than_the_message_meant_are_never_worked_on(
    shop: Workshop,
    store: Store,
    storage: Storage,
    stage: str,
    step: Callable[[Attempt], Lease | None],
    path: Callable[[str, str], str],
) -> None:
    """What a message means is replaced between the claim and the download."""
    video_hash = uploaded(store).video_hash
    client = storage.container.get_blob_client(path(video_hash, "mp4"))
    meant = client.upload_blob(b"meant")["etag"]
    store.finalize(video_hash, source_etag=meant, bytes=5)
    if stage != "preprocessing":
        store.finish_preprocessing(claimed(store, video_hash, "preprocessing", meant), {"source_etag": meant}, SMALL)
    store.enqueue(video_hash, stage, meant)
    caught: list[str] = []

    def replaced(attempt: Attempt) -> Lease | None:
        assert attempt.lease.stage == stage
        client.upload_blob(b"other", overwrite=True)
        with pytest.raises(BlobGone) as error:
            step(attempt)
        caught.append(error.value.facts["path"])
        raise error.value

    shop.__dict__["storage"] = storage
    work(shop, video_hash, stage, lambda _: replaced)
    assert caught == [path(video_hash, "mp4")]
    assert job_of(store, video_hash, stage).state == State.WAITING  # tried again, as any error of its own


def test_what_was_made_is_kept_while_storage_is_away(shop: Workshop, store: Store, video_hash: str) -> None:
    shop.settings = shop.settings.model_copy(update={"retry_seconds": 0.05})
    answers = iter([DependencyAway(name="azurite", why="refused")] * 3 + [None])

    def put(*_: object, **__: object) -> None:
        if error := next(answers):
            raise error

    def step(attempt: Attempt) -> None:
        attempt.file("segment_000.ts").write_bytes(b"x")
        attempt.store_file("x/segment_000.ts", attempt.file("segment_000.ts"))
        store.finish_rendition(attempt.lease, {})

    shop.storage.put_fenced = put  # type: ignore[assignment, method-assign]
    work(shop, video_hash, "360p", lambda _: step)
    job = job_of(store, video_hash)
    assert (job.state, job.attempt) == (State.DONE, 1)
