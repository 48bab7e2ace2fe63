"""Puts the API together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware import Middleware

from vidlab import __version__
from vidlab.api import bundles, health, live, media, metrics, timeline, uploads, videos
from vidlab.api.access import Token
from vidlab.api.document import EVERYWHERE, describe
from vidlab.api.headers import SecurityHeaders
from vidlab.api.health import Check, Checks
from vidlab.api.limits import Limited
from vidlab.api.metrics import Measured, Metrics
from vidlab.api.origins import Origins
from vidlab.api.parts import Parts
from vidlab.api.problems import HANDLERS
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.store import Store

ROUTERS = (
    uploads.router,
    videos.router,
    timeline.router,
    live.router,
    media.router,
    health.router,
    metrics.router,
    bundles.router,
)


def create_app(
    settings: Settings,
    storage: Storage | None = None,
    store: Store | None = None,
    checks: Mapping[str, Check] | None = None,
) -> FastAPI:
    """The API over those servers. `checks` are asked by /health, beside the database and blob storage."""
    parts = Parts(settings, store or Store(settings, announce=True), storage or Storage(settings))
    numbers = Metrics(parts.store)
    own = {"database": parts.store.ping, "storage": parts.storage.ping}
    app: FastAPI = FastAPIOffline(
        title="VidLab",
        version=__version__,
        summary="Send a video in chunks, and watch it become a stream.",
        exception_handlers=HANDLERS,
        middleware=[
            Middleware(Measured, metrics=numbers),
            Middleware(SecurityHeaders),
            Middleware(Origins, api_url=settings.api_url, allowed=settings.cors_origins),
            Middleware(
                Limited,
                per_minute=settings.requests_per_minute,
                media_per_minute=settings.media_requests_per_minute,
            ),
            Middleware(Token, token=settings.api_token),
        ],
        responses=EVERYWHERE,
        lifespan=_closes,
    )
    for router in ROUTERS:
        app.include_router(router)
    app.mount(bundles.PATH, bundles.Bundles())
    limited = settings.requests_per_minute or settings.media_requests_per_minute
    describe(app, *((429,) if limited else ()), token=bool(settings.api_token.get_secret_value()))
    app.state.parts, app.state.metrics = parts, numbers
    app.state.watcher = live.Watcher(parts)
    app.state.checks = Checks(own | dict(checks or {}))
    return app


@asynccontextmanager
async def _closes(app: FastAPI) -> AsyncIterator[None]:
    yield
    # A question that was asked for a page that has left may still hold a connection of what is closed here.
    await asyncio.get_running_loop().shutdown_default_executor()
    app.state.checks.close()
    app.state.parts.store.close()
    app.state.parts.storage.close()
