"""Which pages may talk to the API. Media is open to every page; the rest only to pages of this machine, and to those
that VIDLAB_CORS_ORIGINS lists.

A page that was opened anywhere on the web runs in the same browser as the lab, and can send forms to it. So what
changes something is refused when it comes from another page. And a name that leads a browser
here from elsewhere (DNS rebinding) is refused too: only this machine's names, plain addresses, the API's own name,
and names without a dot, which no public server has.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from vidlab.api.problems import refused
from vidlab.errors import ForeignPage
from vidlab.paths import MEDIA

#: Pages on this machine, on any port, under both of its names.
LOOPBACK = r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?"
SHOWN = ("Content-Range", "Accept-Ranges", "Content-Length", "ETag", "Retry-After")
_ANY: Sequence[str] = ("*",)
_RULES: dict[str, Any] = {"expose_headers": SHOWN, "max_age": 600}
_SAFE = ("GET", "HEAD", "OPTIONS")


class Origins:
    """CORS for two kinds of paths, and a guard before them."""

    def __init__(self, app: ASGIApp, api_url: str, allowed: Collection[str] = ()) -> None:
        self.own = urlsplit(api_url)
        self.allowed = allowed
        media = CORSMiddleware(app, allow_origins=_ANY, allow_methods=_SAFE, allow_headers=_ANY, **_RULES)
        rules = _RULES | {"allow_methods": _ANY, "allow_headers": _ANY}
        self.media = media
        self.rest = CORSMiddleware(app, allow_origins=tuple(allowed), allow_origin_regex=LOOPBACK, **rules)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.rest(scope, receive, send)
            return
        # CORS does not hold for WebSockets: any page could open one, and read what comes.
        refusal = self._refusal(Headers(scope=scope), scope.get("method", "CONNECT"))
        if refusal:
            await refused(scope, ForeignPage(why=refusal))(scope, receive, send)
            return
        is_media = scope["path"].startswith(f"{MEDIA}/")
        await (self.media if is_media else self.rest)(scope, receive, send)

    def _refusal(self, headers: Headers, method: str) -> str | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return f"it was sent to the name {host}, which is not this API's"
        origin = headers.get("origin")
        if method in _SAFE or origin is None or re.fullmatch(LOOPBACK, origin) or origin in self.allowed:
            return None
        same = origin.partition("://")[2] in (self.own.netloc, host)
        return None if same else f"it comes from a page of {origin}"

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            if "." not in name or name == self.own.hostname:
                return True
            ipaddress.ip_address(name)
        except ValueError:  # neither an address, nor even the form of a name
            return False
        return True
