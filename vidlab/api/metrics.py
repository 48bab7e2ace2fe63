"""GET /metrics: requests counted by this process, and what the database says at the moment of asking."""

from __future__ import annotations

import time
from collections.abc import Iterator

from fastapi import APIRouter, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vidlab.errors import DependencyAway
from vidlab.models import State, Status
from vidlab.profiles import MASTER, stages
from vidlab.store import Store

router = APIRouter(tags=["health"])

DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds


class Metrics:
    """One app's numbers, in a registry of its own."""

    def __init__(self, store: Store) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "vidlab_http_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "vidlab_http_request_seconds",
            "From the first byte of the request to the last of the answer.",
            ("method", "route"),
            registry=self.registry,
            buckets=DURATIONS,
        )
        ProcessCollector(registry=self.registry)
        self.registry.register(_Pipeline(store))


class _Pipeline(Collector):
    """The pipeline's state, read anew at each scrape: the API holds none of it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def collect(self) -> Iterator[Metric]:
        try:
            counts = self.store.counts()
        except DependencyAway:
            yield GaugeMetricFamily("vidlab_database_up", "Does the database answer?", 0)
            return
        yield GaugeMetricFamily("vidlab_database_up", "Does the database answer?", 1)
        yield GaugeMetricFamily("vidlab_outbox_unsent", "Messages that Kafka has not taken yet.", counts.outbox_unsent)
        videos = GaugeMetricFamily("vidlab_videos", "Videos by status.", labels=("status",))
        for status in Status:
            videos.add_metric((status,), counts.videos_by_status.get(status, 0))
        yield videos
        jobs = GaugeMetricFamily("vidlab_jobs", "Jobs by stage and state.", labels=("stage", "state"))
        for stage in (*(stage.name for stage in stages()), MASTER):
            for state in State:
                jobs.add_metric((stage, state), counts.jobs.get((stage, state), 0))
        yield jobs


class Measured:
    """Counts and times each request by its route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, sent)
        finally:
            # A path that no route knows is not told by itself: there is no end of them.
            route = getattr(scope.get("route"), "path", "unknown")
            self.metrics.requests.labels(scope["method"], route, status).inc()
            self.metrics.seconds.labels(scope["method"], route).observe(time.monotonic() - began)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request) -> Response:
    """For Prometheus."""
    found: Metrics = request.app.state.metrics
    return Response(generate_latest(found.registry), media_type=CONTENT_TYPE_LATEST)
