"""The contracts of the database, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Row, select, text, update

from tests.forks import uncounted
from vidlab.errors import DependencyAway, LeaseLost, UnknownVideo, WrongState
from vidlab.events import read_message
from vidlab.models import Lease, State, Status, Video, metadata, videos
from vidlab.processes import die_with_parent
from vidlab.profiles import MASTER, PROFILES, Size, Topic
from vidlab.settings import Settings
from vidlab.store import Store
from vidlab.store.engine import Database
from vidlab.store.migrate import migrate

FULL_HD = Size(1920, 1080)


def uploaded(store: Store, key: str | None = None) -> Video:
    facts = {"filename": "a.mp4", "extension": "mp4", "title": "A"}
    return store.create_upload(total_chunks=1, idempotency_key=key, **facts)


def finalized(store: Store) -> str:
    video = uploaded(store)
    store.finalize(video.video_hash, source_etag="original", bytes=10)
    return video.video_hash


def claimed(store: Store, video_hash: str, stage: str, etag: str = "source") -> Lease:
    assert store.enqueue(video_hash, stage, etag)
    lease = store.claim(video_hash, stage)
    assert lease is not None
    return lease


def preprocessed(store: Store, size: Size = FULL_HD) -> str:
    video_hash = finalized(store)
    lease = claimed(store, video_hash, "preprocessing", "original")
    store.finish_preprocessing(lease, {"source_etag": "source"}, size)
    return video_hash


def state_of(store: Store, video_hash: str, stage: str) -> State:
    return next(job.state for job in store.jobs(video_hash) if job.stage == stage)


def kinds(store: Store, video_hash: str) -> list[str]:
    return [event.kind for event in store.events(video_hash)]


# -- upload


def test_ten_first_chunks_with_one_key_make_one_video(store: Store) -> None:
    with ThreadPoolExecutor(10) as pool:
        videos = list(pool.map(lambda _: uploaded(store, key="same"), range(10)))
    assert len({video.video_hash for video in videos}) == 1


def test_finalize_posts_one_message_however_often_it_is_called(store: Store) -> None:
    video = uploaded(store)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.finalize(video.video_hash, source_etag="e", bytes=1), range(8)))
    assert [row.topic for row in store.unsent(10)] == ["video_preprocessing"]
    assert store.video(video.video_hash).status == Status.PREPROCESSING


def older(store: Store, video_hash: str, seconds: float) -> None:
    """As if the upload had been begun so much earlier."""
    with store.database.write() as connection:
        mine = videos.c.video_hash == video_hash
        (begun,) = connection.execute(select(videos.c.created_at).where(mine)).one()
        connection.execute(update(videos).where(mine).values(created_at=begun - timedelta(seconds=seconds)))


def test_only_an_upload_that_is_old_and_was_never_finished_is_expired(store: Store) -> None:
    old, _new, finished = uploaded(store).video_hash, uploaded(store), finalized(store)
    for video_hash in (old, finished):
        older(store, video_hash, 120)
    assert [video.video_hash for video in store.expired_uploads(60)] == [old]
    assert store.expired_uploads(180) == []
    store.fail_upload(old, "it was not finished")
    assert store.expired_uploads(60) == []


# -- leases and fences


def test_only_one_of_many_workers_gets_the_lease(store: Store) -> None:
    video_hash = finalized(store)
    store.enqueue(video_hash, "preprocessing", "original")
    with ThreadPoolExecutor(8) as pool:
        leases = list(pool.map(lambda _: store.claim(video_hash, "preprocessing"), range(8)))
    assert len([lease for lease in leases if lease]) == 1
    assert kinds(store, video_hash).count("refused") == 7


def test_a_worker_that_lost_its_lease_can_neither_beat_nor_finish(store: Store) -> None:
    video_hash = preprocessed(store)
    old = claimed(store, video_hash, "360p")
    (running,) = store.in_state(State.RUNNING)
    assert store.free(running)
    new = store.claim(video_hash, "360p")
    assert new is not None
    assert new.fence == old.fence + 1
    assert not store.beat(old, 0.9, 1.0)
    with pytest.raises(LeaseLost):
        store.finish_rendition(old, {})
    assert store.beat(new, 0.1, 1.0)
    store.finish_rendition(new, {})
    assert state_of(store, video_hash, "360p") == State.DONE


def test_a_lease_that_beat_after_the_poll_is_not_freed(store: Store) -> None:
    video_hash = preprocessed(store)
    lease = claimed(store, video_hash, "360p")
    (polled,) = store.in_state(State.RUNNING)
    store.beat(lease, 0.1, None)
    assert not store.free(polled)


def test_five_lost_workers_fail_the_job_with_a_reason(store: Store) -> None:
    video_hash = finalized(store)
    store.enqueue(video_hash, "preprocessing", "original")
    for _ in range(5):
        assert store.claim(video_hash, "preprocessing")
        (running,) = store.in_state(State.RUNNING)
        store.free(running)
    video = store.video(video_hash)
    assert (video.status, video.error_stage) == (Status.FAILED, "preprocessing")
    assert "5 workers were lost" in (video.error_reason or "")
    assert {span.status for span in store.spans(video_hash) if span.kind == "work"} == {"ok", "lost"}


def test_messages_about_other_bytes_and_unknown_videos_ask_for_nothing(store: Store) -> None:
    video_hash = finalized(store)
    assert not store.enqueue(video_hash, "preprocessing", "other bytes")
    assert not store.enqueue("0" * 32, "preprocessing", "original")
    assert store.enqueue(video_hash, "preprocessing", "original")
    assert store.enqueue(video_hash, "preprocessing", "original")  # the consumer died before its commit
    assert store.claim(video_hash, "preprocessing")
    assert not store.enqueue(video_hash, "preprocessing", "original")


# -- attempts


def test_own_errors_are_tried_three_times_with_pauses_that_the_keeper_times(store: Store) -> None:
    video_hash = preprocessed(store)
    lease = claimed(store, video_hash, "360p")
    pauses = []
    for _ in range(2):
        store.fail(lease, "odd", permanent=False)
        assert store.claim(video_hash, "360p") is None
        pauses.append(next(job.retry_delay for job in store.jobs(video_hash) if job.stage == "360p"))
        lease = hurried(store, video_hash, "360p")
    store.fail(lease, "odd", permanent=False)
    assert pauses == [2.0, 4.0]
    assert state_of(store, video_hash, "360p") == State.FAILED


def test_a_message_does_not_hurry_a_job_that_waits_for_its_next_attempt(store: Store) -> None:
    video_hash = preprocessed(store)
    store.fail(claimed(store, video_hash, "360p"), "odd", permanent=False)
    assert not store.enqueue(video_hash, "360p", "source")
    assert store.due() == []  # it has given the time, which has not come
    assert not store.enqueue(video_hash, "360p", "source")
    assert store.claim(video_hash, "360p") is None
    assert state_of(store, video_hash, "360p") == State.WAITING


def test_a_message_does_not_hurry_a_job_that_waits_for_a_server(store: Store) -> None:
    video_hash = preprocessed(store)
    store.away(claimed(store, video_hash, "360p"), "azurite does not answer", 1.0)
    assert not store.enqueue(video_hash, "360p", "source")
    assert store.due() == []
    assert not store.enqueue(video_hash, "360p", "source")


def hurried(store: Store, video_hash: str, stage: str) -> Lease:
    """Let the pause be over, and claim again."""
    assert store.due() == []
    with store.database.write() as connection:
        connection.execute(text("UPDATE jobs SET retry_at = '2000-01-01 00:00:00' WHERE retry_at IS NOT NULL"))
    assert [job.stage for job in store.due()] == [stage]
    lease = store.claim(video_hash, stage)
    assert lease is not None
    return lease


def test_a_server_that_is_away_uses_no_attempt_but_not_for_ever(store: Store, settings: Settings) -> None:
    video_hash = preprocessed(store)
    lease = claimed(store, video_hash, "360p")
    store.away(lease, "azurite does not answer", 1.0)
    lease = hurried(store, video_hash, "360p")
    assert lease.attempt == 1
    store.away(lease, "azurite does not answer", settings.patience_seconds)
    job = next(job for job in store.jobs(video_hash) if job.stage == "360p")
    assert job.state == State.FAILED
    assert "azurite does not answer (waited 600 s)" in (job.error or "")


def test_what_is_handed_back_is_queued_as_before(store: Store) -> None:
    video_hash = preprocessed(store)
    store.hand_back(claimed(store, video_hash, "360p"))
    job = next(job for job in store.jobs(video_hash) if job.stage == "360p")
    assert (job.state, job.attempt, job.owner) == (State.QUEUED, 0, None)


# -- the fan-out and the fan-in


def test_a_rung_that_does_not_apply_is_skipped_and_counts_as_done(store: Store) -> None:
    video_hash = preprocessed(store, Size(1280, 720))
    video = store.video(video_hash)
    assert [name for name, done in video.done.items() if done] == ["1080p"]
    job = next(job for job in store.jobs(video_hash) if job.stage == "1080p")
    assert (job.state, job.error) == (State.SKIPPED, "the source has 720 lines")
    assert not store.enqueue(video_hash, "1080p", "source")


def test_six_that_finish_at_once_claim_the_master_once(store: Store) -> None:
    for _ in range(10):
        video_hash = preprocessed(store)
        leases = [claimed(store, video_hash, profile.name) for profile in PROFILES]
        with ThreadPoolExecutor(6) as pool:
            masters = list(pool.map(lambda lease: store.finish_rendition(lease, {}), leases))
        (master,) = [lease for lease in masters if lease]
        assert master.stage == MASTER
        assert store.video(video_hash).status == Status.PROCESSING
        store.finish_master(master, "/media/x")
        assert store.video(video_hash).status == Status.COMPLETED
        assert kinds(store, video_hash).count("completed") == 1


def test_finishing_and_failing_at_once_end_the_video_once(store: Store) -> None:
    for _ in range(10):
        video_hash = preprocessed(store)
        leases = [claimed(store, video_hash, profile.name) for profile in PROFILES]

        def end(numbered: tuple[int, Lease]) -> None:
            number, lease = numbered
            if number % 2:
                store.fail(lease, f"no {lease.stage}", permanent=True)
            else:
                store.finish_rendition(lease, {})

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(end, enumerate(leases)))
        video = store.video(video_hash)
        assert (video.status, video.error_stage, video.error_reason) == (Status.FAILED, "360p", "no 360p")
        assert kinds(store, video_hash).count("video_failed") == 1


def test_the_master_of_a_worker_that_died_is_taken_over(store: Store) -> None:
    video_hash = preprocessed(store, Size(256, 144))
    store.finish_rendition(claimed(store, video_hash, "144p"), {})
    assert store.finish_rendition(claimed(store, video_hash, "thumbnail"), {})
    (running,) = store.in_state(State.RUNNING)
    assert running.stage == MASTER
    store.free(running)
    lease = store.claim(video_hash, MASTER)
    assert lease is not None
    store.finish_master(lease, "/media/x")
    assert store.video(video_hash).status == Status.COMPLETED


# -- all or nothing

#: What writes a part of a change.
WRITERS = {
    "an event": ("vidlab.store.record.Record.tell",),
    "the message": ("vidlab.store.videos.post", "vidlab.store.leases.post"),
    "a span": ("vidlab.store.record.Record.open_span",),
}


def finalizing(store: Store) -> Callable[[], object]:
    video = uploaded(store)
    return lambda: store.finalize(video.video_hash, source_etag="e", bytes=1)


def fanning_out(store: Store) -> Callable[[], object]:
    lease = claimed(store, finalized(store), "preprocessing", "original")
    return lambda: store.finish_preprocessing(lease, {"source_etag": "source"}, Size(1280, 720))


def last_but_one(store: Store) -> Lease:
    """The lease of the last rendition that is not done."""
    video_hash = preprocessed(store, Size(256, 144))
    store.finish_rendition(claimed(store, video_hash, "144p"), {})
    return claimed(store, video_hash, "thumbnail")


def finishing(store: Store) -> Callable[[], object]:
    lease = last_but_one(store)
    return lambda: store.finish_rendition(lease, {"bytes": 1})


def failing(store: Store) -> Callable[[], object]:
    lease = last_but_one(store)
    return lambda: store.fail(lease, "odd", permanent=True)


def completing(store: Store) -> Callable[[], object]:
    master = store.finish_rendition(last_but_one(store), {})
    assert master
    return lambda: store.finish_master(master, "/media/x")


def retrying(store: Store) -> Callable[[], object]:
    video_hash = finalized(store)
    store.fail(claimed(store, video_hash, "preprocessing", "original"), "odd", permanent=True)
    return lambda: store.retry(video_hash)


def deleting(store: Store) -> Callable[[], object]:
    video_hash = preprocessed(store)
    return lambda: store.delete(video_hash)


def everything(store: Store) -> dict[str, list[Row[Any]]]:
    """All rows of all tables."""
    with store.database.read() as connection:
        return {table.name: list(connection.execute(select(table))) for table in metadata.sorted_tables}


class Broken(Exception):
    """Something failed in the midst of a transaction."""


def breaking_at(number: int, do: Callable[..., Any]) -> Callable[..., Any]:
    """What does the same, but for that call of it."""
    calls = itertools.count()

    def sometimes(*words: Any, **more: Any) -> Any:
        if next(calls) == number:
            raise Broken
        return do(*words, **more)

    return sometimes


POSTING = (finalizing, fanning_out, retrying)


@pytest.mark.parametrize("changing", [*POSTING, finishing, failing, completing, deleting], ids=lambda one: one.__name__)
def test_when_one_thing_cannot_be_written_all_is_as_before(
    store: Store, changing: Callable[[Store], Callable[[], object]]
) -> None:
    parts = {what: parts_written(store, changing(store), writers) for what, writers in WRITERS.items()}
    assert parts["an event"] > 0
    assert parts["the message"] == (changing in POSTING)


def parts_written(store: Store, change: Callable[[], object], writers: Iterable[str]) -> int:
    """Let each part that these write fail, and see that nothing is written; gives how many there are."""
    before = everything(store)
    for number in itertools.count():
        try:
            with broken(writers, number):
                change()
        except Broken:
            assert everything(store) == before
        else:
            assert everything(store) != before
            return number
    raise AssertionError


@contextmanager
def broken(writers: Iterable[str], number: int) -> Iterator[None]:
    """That call of a writer fails."""
    with ExitStack() as patched:
        for name in writers:
            patched.enter_context(patch(name, breaking_at(number, resolve_name(name))))
        yield


# -- what travels

TRACEPARENT = re.compile("00-([0-9a-f]{32})-([0-9a-f]{16})-01")


def test_each_message_names_its_video_as_the_trace_and_a_span_that_exists(store: Store) -> None:
    video_hash = preprocessed(store)
    store.post_again(video_hash, Topic.PREPROCESSING)
    store.post_again(video_hash, Topic.PROCESSING)
    rows = store.unsent(10)
    assert [row.topic for row in rows] == [Topic.PREPROCESSING, Topic.PROCESSING] * 2
    for row in rows:
        named = TRACEPARENT.fullmatch(read_message(row.topic, row.payload.encode()).traceparent)
        assert named
        assert (row.key, named[1]) == (video_hash, video_hash)
        assert named[2] in {span.span_id for span in store.spans(video_hash)}


# -- retry and delete


def test_retry_opens_only_what_failed(store: Store) -> None:
    video_hash = preprocessed(store)
    for profile in PROFILES:
        lease = claimed(store, video_hash, profile.name)
        if profile.name == "480p":
            store.fail(lease, "odd", permanent=True)
        else:
            store.finish_rendition(lease, {})
    assert store.video(video_hash).status == Status.FAILED
    assert store.retry(video_hash).status == Status.PROCESSING
    assert [job.stage for job in store.jobs(video_hash) if job.state != State.DONE] == ["480p", MASTER]
    assert [job.stage for job in store.due()] == ["480p"]
    again = store.claim(video_hash, "480p")
    assert again is not None
    assert store.finish_rendition(again, {}) is not None


def own_errors(store: Store, lease: Lease) -> None:
    """Fail as often as is allowed."""
    for left in reversed(range(3)):
        store.fail(lease, "odd", permanent=False)
        lease = hurried(store, lease.video_hash, lease.stage) if left else lease


def lost_workers(store: Store, lease: Lease) -> None:
    """Lose as many workers as is allowed."""
    for left in reversed(range(5)):
        (running,) = store.in_state(State.RUNNING)
        assert store.free(running)
        assert not left or store.claim(lease.video_hash, lease.stage)


def outage(store: Store, lease: Lease) -> None:
    """Wait for a server for as long as is allowed."""
    store.away(lease, "azurite does not answer", store.settings.patience_seconds - 1)
    store.away(hurried(store, lease.video_hash, lease.stage), "azurite does not answer", 2.0)


@pytest.mark.parametrize(
    ("exhaust", "once"),
    [
        (own_errors, lambda store, lease: store.fail(lease, "odd", permanent=False)),
        (lost_workers, lambda store, lease: store.free(store.in_state(State.RUNNING)[0])),
        (outage, lambda store, lease: store.away(lease, "azurite does not answer", 1.0)),
    ],
    ids=["own errors", "lost workers", "an outage"],
)
def test_what_is_retried_has_all_its_attempts_again(
    store: Store, exhaust: Callable[[Store, Lease], None], once: Callable[[Store, Lease], object]
) -> None:
    video_hash = preprocessed(store, Size(256, 144))
    store.finish_rendition(claimed(store, video_hash, "thumbnail"), {})
    exhaust(store, claimed(store, video_hash, "144p"))
    assert store.video(video_hash).status == Status.FAILED
    store.retry(video_hash)
    assert [job.stage for job in store.due()] == ["144p"]
    lease = store.claim(video_hash, "144p")
    assert lease
    assert lease.attempt == 1
    once(store, lease)
    assert state_of(store, video_hash, "144p") in (State.WAITING, State.QUEUED)
    assert store.video(video_hash).status == Status.PROCESSING


def test_retry_of_preprocessing_goes_by_its_topic(store: Store) -> None:
    video_hash = finalized(store)
    store.sent(store.unsent(10))
    store.fail(claimed(store, video_hash, "preprocessing", "original"), "odd", permanent=True)
    store.retry(video_hash)
    assert [row.topic for row in store.unsent(10)] == ["video_preprocessing"]
    claimed(store, video_hash, "preprocessing", "original")


@pytest.mark.parametrize("infected", [True, False])
def test_an_infected_file_is_not_retried(store: Store, infected: bool) -> None:
    video_hash = finalized(store)
    lease = claimed(store, video_hash, "preprocessing", "original")
    store.fail(lease, "found", permanent=True, infected=infected)
    if infected:
        with pytest.raises(WrongState):
            store.retry(video_hash)
    else:
        assert store.retry(video_hash).status == Status.PREPROCESSING


def test_delete_hides_at_once_and_fences_off_who_still_works(store: Store) -> None:
    video_hash = preprocessed(store)
    lease = claimed(store, video_hash, "360p")
    store.delete(video_hash)
    with pytest.raises(UnknownVideo):
        store.video(video_hash)
    with pytest.raises(UnknownVideo):
        store.delete(video_hash)
    with pytest.raises(LeaseLost):
        store.finish_rendition(lease, {})
    assert not store.enqueue(video_hash, "480p", "source")
    ((_, held),) = store.deleting()
    assert [job.stage for job in held] == ["360p"]
    store.let_go(lease)
    assert store.deleting()[0][1] == []
    store.remove(video_hash)
    assert store.deleting() == []
    assert store.jobs(video_hash) == []


def test_the_key_of_a_deleted_video_begins_a_new_one(store: Store) -> None:
    gone = uploaded(store, key="same")
    store.delete(gone.video_hash)
    assert uploaded(store, key="same").video_hash != gone.video_hash


# -- tables


def test_the_query_of_the_reference_works_as_written(store: Store) -> None:
    video_hash = preprocessed(store, Size(1280, 720))
    query = """
        SELECT video_hash, status, profile_144p_done, profile_360p_done, profile_480p_done, profile_720p_done,
               profile_1080p_done, thumbnail_done
        FROM videos
        WHERE status = 'processing';
    """
    with store.database.read() as connection:
        (row,) = connection.execute(text(query)).all()
    assert tuple(row) == (video_hash, "processing", False, False, False, False, True, False)


def test_a_profile_that_is_added_later_gets_its_column_and_does_not_redo_old_videos(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    old, young = preprocessed(store), finalized(store)
    with store.database.write() as connection:  # as if the table had been made before 480p came
        connection.execute(text("ALTER TABLE videos DROP COLUMN profile_480p_done"))
    assert migrate(store.database) == ["profile_480p_done"]
    assert migrate(store.database) == []
    assert store.video(old).done["480p"]
    assert not store.video(young).done["480p"]


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True)
def test_sixteen_processes_write_at_once_without_an_error(store: Store, settings: Settings) -> None:
    script = """
import sys
from pathlib import Path
from vidlab.settings import Settings
from vidlab.store import Store
store = Store(Settings(state=Path(sys.argv[1]), database_url=sys.argv[2], process="writer"))
for _ in range(10):
    video = store.create_upload(total_chunks=1, filename="a", extension="mp4", title="", idempotency_key=None)
    store.finalize(video.video_hash, source_etag="e", bytes=1)
"""
    command = [sys.executable, "-c", script, str(settings.state), settings.database_url]
    env = uncounted()
    writers = [
        subprocess.Popen(command, env=env, stderr=subprocess.PIPE, preexec_fn=die_with_parent) for _ in range(16)
    ]
    errors = [writer.communicate()[1].decode() for writer in writers]
    assert not any(writer.returncode for writer in writers), "\n".join(errors)[-2000:]
    assert len(store.videos(limit=1000)) == 160


# -- what a review found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_leases_are_judged_only_while_beats_can_be_written(hasty: None, store: Store, settings: Settings) -> None:
    """SQLite in WAL mode goes on to answer readers while somebody keeps all writers out."""
    claimed(store, preprocessed(store), "360p")
    assert [job.stage for job in store.leases()] == ["360p"]
    path = settings.database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert store.in_state(State.RUNNING)
        with pytest.raises(DependencyAway, match="locked"):
            store.leases()


def test_a_worker_of_a_deleted_video_is_seen_as_long_as_it_works(store: Store) -> None:
    video_hash = preprocessed(store)
    lease = claimed(store, video_hash, "360p")
    store.delete(video_hash)
    seen = []
    for _ in range(3):
        assert not store.beat(lease, 0.5, None)
        ((_, (held,)),) = store.deleting()
        seen.append(held.beat)
    assert seen == sorted(set(seen))


def test_a_retry_makes_a_profile_that_was_added_after_the_failure(store: Store) -> None:
    video_hash = finalized(store)
    store.fail(claimed(store, video_hash, "preprocessing", "original"), "odd", permanent=True)
    with store.database.write() as connection:
        connection.execute(text("ALTER TABLE videos DROP COLUMN profile_480p_done"))
    migrate(store.database)
    assert store.video(video_hash).done["480p"]
    store.retry(video_hash)
    store.finish_preprocessing(claimed(store, video_hash, "preprocessing", "original"), {"source_etag": "s"}, FULL_HD)
    assert not store.video(video_hash).done["480p"]


def test_an_outage_counts_over_all_attempts_however_far_each_came(store: Store, settings: Settings) -> None:
    video_hash = preprocessed(store)
    lease = claimed(store, video_hash, "360p")
    for _ in range(3):
        store.beat(lease, 0.9, 1.0)
        store.away(lease, "azurite does not answer", settings.patience_seconds / 4)
        lease = hurried(store, video_hash, "360p")
    store.away(lease, "azurite does not answer", settings.patience_seconds / 4)
    assert state_of(store, video_hash, "360p") == State.FAILED


def test_hashes_of_any_form_are_only_unknown(store: Store) -> None:
    for odd in ("", "\x00", "x" * 500, "É"):
        with pytest.raises(UnknownVideo):
            store.video(odd)


def test_several_inits_at_once_make_the_tables_once(settings: Settings) -> None:
    with ThreadPoolExecutor(4) as pool:
        databases = [Database(settings) for _ in range(4)]
        added = list(pool.map(migrate, databases))
    for database in databases:
        database.close()
    assert sorted(map(len, added)) == [0, 0, 0, len(PROFILES)]


# -- what is lost or old


def test_what_waits_for_a_message_is_known_once_the_message_is_sent(store: Store) -> None:
    video_hash = finalized(store)
    assert store.awaiting_message(["preprocessing"]) == []
    store.sent(store.unsent(10))
    assert [job.video_hash for job in store.awaiting_message(["preprocessing"])] == [video_hash]
    assert store.awaiting_message(["144p"]) == []
    claimed(store, video_hash, "preprocessing", "original")
    assert store.awaiting_message(["preprocessing"]) == []


def test_what_waits_for_its_next_attempt_waits_for_no_message(store: Store) -> None:
    video_hash = finalized(store)
    lease = claimed(store, video_hash, "preprocessing", "original")
    store.sent(store.unsent(10))
    store.fail(lease, "it did not work", permanent=False)
    assert store.awaiting_message(["preprocessing"]) == []


def test_a_message_posted_again_names_the_same_bytes(store: Store) -> None:
    video_hash = preprocessed(store)
    store.sent(store.unsent(10))
    store.post_again(video_hash, Topic.PROCESSING)
    (row,) = store.unsent(10)
    assert read_message(row.topic, row.payload.encode()).source_etag == "source"
    assert store.enqueue(video_hash, "144p", "source")
    assert "posted_again" in kinds(store, video_hash)


def test_history_is_forgotten_and_what_is_still_to_be_sent_is_not(store: Store) -> None:
    sent, unsent = finalized(store), finalized(store)
    store.sent([row for row in store.unsent(10) if row.key == sent])
    assert store.forget_history(3600) == 0
    assert store.forget_history(-1) > 0
    assert [row.key for row in store.unsent(10)] == [unsent]
    assert store.events() == []
    assert store.forget_history(-1) == 0


def test_what_is_tried_again_or_cancelled_is_told_for_each_job(store: Store) -> None:
    video_hash = preprocessed(store)
    store.fail(claimed(store, video_hash, "144p"), "no picture", permanent=True)
    store.delete(video_hash)
    told = {(event.kind, event.stage) for event in store.events(video_hash)}
    open_stages = {profile.name for profile in PROFILES} - {"144p"}
    assert {("cancelled", stage) for stage in open_stages} <= told
    assert ("cancelled", "144p") not in told


def test_of_what_a_consumer_has_not_handed_on_the_oldest_counts(store: Store) -> None:
    first, second = preprocessed(store), preprocessed(store)
    since = {video_hash: {job.stage: job.queued_at for job in store.jobs(video_hash)} for video_hash in (first, second)}
    assert since[first]["144p"] < since[second]["144p"]  # type: ignore[operator]
    assert store.oldest_unread()["144p"] == since[first]["144p"]
    assert store.enqueue(first, "144p", store.video(first).source_etag or "")
    assert store.oldest_unread()["144p"] == since[second]["144p"]
