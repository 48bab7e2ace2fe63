"""The API's process: uvicorn on the address that people are told."""

import socket
from functools import partial
from urllib.parse import urlsplit

import uvicorn

from vidlab.api.app import create_app
from vidlab.api.forms import spool_into
from vidlab.api.health import answers
from vidlab.lab.ready import CONDITIONS, announce
from vidlab.logs import set_up_logs
from vidlab.settings import Settings

STOP = 5  # seconds for requests in hand, when told to stop

#: Servers that the API itself does not use, but a video needs.
SERVERS = ("redis", "kafka", "clamd")


class Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self.settings = settings

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            announce(self.settings, f"{self.settings.api_url.rstrip('/')}/docs")


def main() -> None:
    settings = Settings()
    set_up_logs(settings.process)
    spool_into(settings.scratch)
    checks = {name: answers(name, partial(CONDITIONS[name].check, settings)) for name in SERVERS}
    address = urlsplit(f"//{settings.api_listen}" if settings.api_listen else settings.api_url)
    config = uvicorn.Config(
        create_app(settings, checks=checks),
        host=address.hostname or "127.0.0.1",
        port=address.port or 80,
        log_config=None,  # ours stands already
        access_log=False,
        server_header=False,
        # Else anybody on this machine could say that he is somebody else, and get around the limits.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=STOP,
    )
    Server(config, settings).run()


if __name__ == "__main__":
    main()
