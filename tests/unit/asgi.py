"""Asks an app without a network. (Starlette's own test client wants another HTTP library.)"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import httpx
from fastapi import FastAPI


class Http:
    """The verbs of HTTP for one app; `strict` raises what the app raises."""

    def __init__(self, app: FastAPI, *, base_url: str = "http://127.0.0.1:8000", strict: bool = True) -> None:
        self.app = app
        self.base_url = base_url
        self.strict = strict
        self.get, self.head, self.post = (partial(self.request, verb) for verb in ("GET", "HEAD", "POST"))
        self.delete, self.options = (partial(self.request, verb) for verb in ("DELETE", "OPTIONS"))

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._request(method, path, **more))

    async def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=self.strict)
        async with httpx.AsyncClient(transport=transport, base_url=self.base_url) as client:
            return await client.request(method, path, **more)
