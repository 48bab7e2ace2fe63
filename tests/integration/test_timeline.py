"""The spans below an attempt's own: told with the beats and at the end, and none is left open by one who may not."""

from __future__ import annotations

from tests.integration.test_store import claimed, preprocessed
from vidlab.models import Lease, Span, State
from vidlab.pipeline.timeline import Timeline
from vidlab.store import Store


def below(store: Store, lease: Lease) -> list[Span]:
    return [span for span in store.spans(lease.video_hash) if span.parent_id == lease.span_id]


def told(store: Store, lease: Lease) -> list[tuple[str, str]]:
    return [(span.name, span.status) for span in below(store, lease)]


def test_what_is_told_while_it_lasts_is_open_and_then_ended(store: Store) -> None:
    lease = claimed(store, preprocessed(store), "360p")
    timeline = Timeline(store, lease)
    with timeline.span("download"):
        timeline.tell()
        assert told(store, lease) == [("download", "open")]
    assert told(store, lease) == [("download", "open")]  # a transaction is not worth it: the next beat tells it
    with timeline.span("encode"):
        timeline.tell()
        assert told(store, lease) == [("download", "ok"), ("encode", "open")]
    timeline.tell()
    assert told(store, lease) == [("download", "ok"), ("encode", "ok")]
    assert {(span.stage, span.process, span.attempt, span.kind) for span in below(store, lease)} == {
        ("360p", lease.owner, 1, "work")
    }


def test_what_failed_is_told_as_that_with_its_own_times(store: Store) -> None:
    lease = claimed(store, preprocessed(store), "360p")
    timeline = Timeline(store, lease)
    try:
        with timeline.span("encode"):
            raise ZeroDivisionError
    except ZeroDivisionError:
        timeline.tell()
    (span,) = below(store, lease)
    assert span.status == "error"
    assert span.ended_at is not None
    assert span.ended_at >= span.started_at


def test_after_the_end_what_is_over_is_told_and_nothing_is_left_open(store: Store) -> None:
    lease = claimed(store, preprocessed(store), "360p")
    timeline = Timeline(store, lease)
    with timeline.span("encode"):
        pass
    with timeline.span("upload"):
        store.finish_rendition(lease, {})
        timeline.tell()
        assert told(store, lease) == [("encode", "ok")]
    timeline.tell()
    assert told(store, lease) == [("encode", "ok"), ("upload", "ok")]


def test_who_lost_the_lease_writes_no_spans_and_ends_none_that_were_told_as_lost(store: Store) -> None:
    video_hash = preprocessed(store)
    old = claimed(store, video_hash, "360p")
    timeline = Timeline(store, old)
    with timeline.span("encode"):
        timeline.tell()
        (running,) = store.in_state(State.RUNNING)
        store.free(running)
        assert store.claim(video_hash, "360p")
        with timeline.span("upload"):
            timeline.tell()
    timeline.tell()
    assert told(store, old) == [("encode", "lost")]


def test_a_span_that_the_keeper_ended_as_lost_stays_so_before_the_next_claim_too(store: Store) -> None:
    lease = claimed(store, preprocessed(store), "360p")
    timeline = Timeline(store, lease)
    with timeline.span("encode"):
        timeline.tell()
        (running,) = store.in_state(State.RUNNING)
        store.free(running)
    timeline.tell()
    assert told(store, lease) == [("encode", "lost")]
