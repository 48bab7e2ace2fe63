"""From a message to a Celery queue, with a real database and a real Redis: only what is to be done is enqueued."""

from __future__ import annotations

from collections import Counter

import pytest
import redis

from tests.integration.test_store import claimed, finalized, preprocessed, state_of
from tests.postgres import free_port
from vidlab.errors import DependencyAway
from vidlab.events import Message, new_message, read_message
from vidlab.jobs import Queues
from vidlab.models import State
from vidlab.pipeline.fanout import HandOver
from vidlab.profiles import PROFILES, Size, Topic, stages
from vidlab.settings import Settings
from vidlab.store import Store

STAGES = {stage.name: stage for stage in stages()}
HD = Size(1280, 720)


@pytest.fixture
def queues(queue_settings: Settings) -> Queues:
    return Queues(queue_settings)


def posted(store: Store, video_hash: str) -> Message:
    """The video's newest message, as its group reads it."""
    row = [row for row in store.unsent(100) if row.key == video_hash][-1]
    return read_message(row.topic, row.payload.encode())


def test_each_group_enqueues_its_profile_once_and_a_skipped_one_never(store: Store, queues: Queues) -> None:
    video_hash = preprocessed(store, HD)
    message = posted(store, video_hash)
    for profile in PROFILES:
        HandOver(profile.stage, store, queues)(message)
    made = {profile.name for profile in PROFILES} - {"1080p"}
    assert queues.waiting() == {(video_hash, name) for name in made}
    assert Counter(queues.lengths().values()) == {1: len(made), 0: 2}  # 1080p and preprocessing
    assert {state_of(store, video_hash, name) for name in made} == {State.QUEUED}
    assert state_of(store, video_hash, "1080p") == State.SKIPPED


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(("0" * 32, "source"), id="unknown video"),
        pytest.param((None, "other bytes"), id="other bytes"),
    ],
)
def test_a_message_without_a_row_that_it_means_is_let_pass(
    store: Store, queues: Queues, message: tuple[str | None, str]
) -> None:
    video_hash, etag = message
    known = preprocessed(store)
    for profile in PROFILES:
        HandOver(profile.stage, store, queues)(new_message(Topic.PROCESSING, video_hash or known, etag, "00-x-y-01"))
    assert queues.waiting() == set()


def test_what_is_worked_on_failed_or_being_deleted_is_not_enqueued_again(store: Store, queues: Queues) -> None:
    video_hash = preprocessed(store)
    message = posted(store, video_hash)
    claimed(store, video_hash, "144p")
    store.fail(claimed(store, video_hash, "360p"), "odd", permanent=False)
    store.fail(claimed(store, video_hash, "480p"), "odd", permanent=True)
    store.finish_rendition(claimed(store, video_hash, "720p"), {})
    for stage in ("144p", "360p", "480p", "720p"):
        HandOver(STAGES[stage], store, queues)(message)
    store.delete(video_hash)
    HandOver(STAGES["1080p"], store, queues)(message)
    assert queues.waiting() == set()


def test_what_could_not_be_enqueued_is_enqueued_when_the_message_comes_again(
    store: Store, queues: Queues, settings: Settings
) -> None:
    message = posted(store, finalized(store))
    away = Queues(settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"}))
    with pytest.raises(DependencyAway, match="redis"):  # so its offset is not committed
        HandOver(STAGES["preprocessing"], store, away)(message)
    HandOver(STAGES["preprocessing"], store, queues)(message)
    assert queues.waiting() == {(message.video_hash, "preprocessing")}


def test_a_task_carries_the_trace_of_its_message(store: Store, queues: Queues, broker: redis.Redis) -> None:
    message = posted(store, finalized(store))
    HandOver(STAGES["preprocessing"], store, queues)(message)
    (task,) = broker.lrange("preprocessing", 0, -1)
    assert message.traceparent.encode() in task
