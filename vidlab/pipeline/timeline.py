"""An attempt's timeline: its spans are kept here and told with the beats, so that short work costs no transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from vidlab.models import Lease, Span
from vidlab.store import Store
from vidlab.store.clock import now
from vidlab.store.record import new_span_id


class Timeline:
    """The spans below an attempt's own. Two threads use it: one works, the other beats."""

    def __init__(self, store: Store, lease: Lease) -> None:
        self.store = store
        self.lease = lease
        self._news: dict[str, Span] = {}  # what the database does not know, or knows only as open
        self._lock = threading.Lock()

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """A stretch of the attempt."""
        begun = self._begin(name)
        status = "error"
        try:
            yield
            status = "ok"
        finally:
            self._note(replace(begun, ended_at=now(), status=status))

    def _begin(self, name: str) -> Span:
        lease = self.lease
        span = Span(
            span_id=new_span_id(),
            parent_id=lease.span_id,
            video_hash=lease.video_hash,
            stage=lease.stage,
            name=name,
            kind="work",
            process=lease.owner,
            attempt=lease.attempt,
            started_at=now(),
            ended_at=None,
            status="open",
        )
        self._note(span)
        return span

    def _note(self, span: Span) -> None:
        with self._lock:
            self._news[span.span_id] = span

    def tell(self) -> None:
        """Write what is new. Raises DependencyAway: then it stays new."""
        with self._lock:
            news = dict(self._news)
        if not news:
            return
        self.store.tell_spans(self.lease, list(news.values()))
        with self._lock:
            self._news = {key: span for key, span in self._news.items() if news.get(key) != span}
