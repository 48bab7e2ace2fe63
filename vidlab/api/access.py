"""Who may speak to the API: with VIDLAB_API_TOKEN set, only who sends it as `Authorization: Bearer ...`.

It is wanted for everything but what stands in `OPEN`. Media is open, because a browser's own player, Safari's HLS and
a player outside the browser can put a header to none of the requests that they make from a playlist. In the address
the token would end in logs, histories and every copied link, and a cookie would be sent for foreign pages too. So the
address of a video is what one must know: its hash is random, 128 bits long, and told to nobody without the token.
"""

from __future__ import annotations

import base64
import hmac
import re

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from vidlab.api.problems import refused
from vidlab.errors import TokenWanted
from vidlab.paths import MEDIA

#: What is answered without the token. A browser asks for a page without it, and these tell nothing of any video.
OPEN = re.compile(
    rf"{MEDIA}/.*|/docs(/oauth2-redirect)?|/redoc|/openapi\.json|/static-offline-docs/.*|/health/live|/bundles/.*", re.S
)
#: What a browser's WebSocket asks for; it can put the token nowhere but beside this.
PROTOCOL = "vidlab"
#: Begins the protocol that carries the token, in base64 for addresses, without padding.
CARRIER = "vidlab.token."
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="vidlab"'}


def _of_protocols(scope: Scope) -> str | None:
    """The token of a WebSocket, as a header would carry it."""
    found = next((one for one in scope.get("subprotocols", ()) if one.startswith(CARRIER)), None)
    if found is None:
        return None
    carried = found.removeprefix(CARRIER)
    try:
        return f"Bearer {base64.urlsafe_b64decode(carried + '=' * (-len(carried) % 4)).decode()}"
    except ValueError:
        return "Bearer"


class Token:
    """Turns away who does not know the token, before anything of the request is read. An empty one is not asked for."""

    def __init__(self, app: ASGIApp, token: SecretStr) -> None:
        self.app = app
        self.token = token.get_secret_value().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not self.token or OPEN.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(Headers(scope=scope).get("authorization") or _of_protocols(scope))
        answer = refused(scope, TokenWanted(why=refusal), CHALLENGE) if refusal else self.app
        await answer(scope, receive, send)

    def _refusal(self, header: str | None) -> str | None:
        if header is None:
            return "the request carries none"
        scheme, _, given = header.partition(" ")
        if scheme.lower() != "bearer":
            return "the header Authorization does not begin with Bearer"
        # In constant time: how long a comparison takes must not tell how much of a guess is right.
        if not hmac.compare_digest(given.strip().encode(), self.token):
            return "the one that was sent is not it"
        return None
