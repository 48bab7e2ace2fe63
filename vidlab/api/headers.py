"""What browsers are told to do, and not to do, with the answers."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vidlab.paths import MEDIA

#: Of every answer.
ALWAYS = {
    # What somebody uploaded must not become a page.
    "X-Content-Type-Options": "nosniff",
    # No page may put the API into a frame and have somebody click there.
    "X-Frame-Options": "DENY",
    # The address of a video is all that one must know to see it.
    "Referrer-Policy": "no-referrer",
}

#: The pages of the documentation carry a script and styles in themselves, and everything else comes from here.
PAGE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

#: A browser that is led straight to a file of a video makes a page around it.
PLAYED = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"

#: By how the path begins; the first that fits. An endpoint's own headers stand above them.
BY_PATH: tuple[tuple[str, dict[str, str]], ...] = (
    # Players stand on any page.
    (f"{MEDIA}/", {"Content-Security-Policy": PLAYED, "Cross-Origin-Resource-Policy": "cross-origin"}),
    ("/docs", {"Content-Security-Policy": PAGE}),
    ("/redoc", {"Content-Security-Policy": PAGE}),
    ("/static-offline-docs/", {"Content-Security-Policy": "default-src 'none'"}),
    # Modules that a page imports: asked for anew each time, and sent only when they are others.
    (
        "/bundles/",
        {
            "Content-Security-Policy": "default-src 'none'",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Cache-Control": "no-cache",
        },
    ),
    (
        "/",
        {
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            # Not even as a picture that does not load: how long it takes would tell something.
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
        },
    ),
)


class SecurityHeaders:
    """Puts them onto each answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        wanted = ALWAYS | next((found for begin, found in BY_PATH if scope["path"].startswith(begin)), {})

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in wanted.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, sent)
