"""The connection: one client per process, short time-outs, few retries, and each failure by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import requests
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobProperties, ContainerClient, LinearRetry
from requests.adapters import HTTPAdapter

from vidlab.errors import BlobGone, DependencyAway, StorageRefused, VidLabError
from vidlab.settings import AZURITE_ACCOUNT, Settings

CONNECT_TIMEOUT = 3.0  # seconds; also for each piece that is sent
ANSWER_TIMEOUT = 4.0  # seconds of silence while an answer is waited for
CONNECTIONS = 64  # kept open; the API's threads share them
PIECE = 256 * 1024  # bytes read from the connection at once; the transport's own 4 kB cost half of the speed
RANGE = 8 * 1024 * 1024  # bytes asked for at once; measured: 1 MiB is 4 times slower

#: One quick second try of what was sent: also a connection that the server closed while it was idle ends here.
RETRIES = {"retry_total": 2, "retry_connect": 2, "retry_read": 1, "retry_status": 2}
RETRY_PAUSE = {"backoff": 0.3, "random_jitter_range": 0.1}  # seconds

#: The metadata that tells which attempt wrote a blob.
FENCE = "fence"

#: HTTP answers that mean: not now.
_AWAY = (401, 403, 408, 429)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class Blob:
    """A committed blob: exactly these bytes."""

    path: str
    bytes: int
    #: With its quotes, as HTTP wants it.
    etag: str
    #: Of the attempt that wrote it; None for what a user sent.
    fence: int | None
    content_type: str

    @classmethod
    def of(cls, path: str, found: BlobProperties, size: int | None = None) -> Blob:
        """From what the SDK tells; `size` is the whole blob's where `found` is about a part of it."""
        fence = (found.metadata or {}).get(FENCE)
        etag = str(found.etag).strip('"')  # listings tell it bare
        return cls(
            path=path,
            bytes=found.size if size is None else size,
            etag=f'"{etag}"',
            fence=int(fence) if fence is not None else None,
            content_type=found.content_settings.content_type or "",
        )


class Account:
    """The container of one lab."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def container(self) -> ContainerClient:
        """Made on first use, so that a forked worker has connections of its own."""
        return ContainerClient.from_connection_string(
            self.settings.storage.get_secret_value(),
            self.settings.container,
            transport=_transport(self.settings),
            retry_policy=LinearRetry(**RETRIES, **RETRY_PAUSE),  # type: ignore[arg-type]  # floats will do
            max_single_get_size=RANGE,
            max_chunk_get_size=RANGE,
        )

    @property
    def name(self) -> str:
        """What it is called in errors: the process of the lab, when it is one."""
        return "azurite" if AZURITE_ACCOUNT in self.settings.storage.get_secret_value() else "storage"

    @contextmanager
    def told(self, path: str = "") -> Iterator[None]:
        """Turn the SDK's errors into ours: BlobGone, DependencyAway, StorageRefused."""
        try:
            yield
        except AzureError as error:
            raise self._ours(error, path) from error

    def _ours(self, error: AzureError, path: str) -> VidLabError:
        code = code_of(error)
        if code == "ContainerNotFound":
            return DependencyAway(name=self.name, why=f"it has no container {self.settings.container}")
        if isinstance(error, (ResourceNotFoundError, ResourceModifiedError)):
            return BlobGone(path=path)
        status = getattr(error, "status_code", None)
        if status is None or status >= 500 or status in _AWAY:
            return DependencyAway(name=self.name, why=_reason(error, status, code))
        return StorageRefused(path=path, why=f"{status} {code}")

    def close(self) -> None:
        if "container" in self.__dict__:
            self.container.close()


def _transport(settings: Settings) -> RequestsTransport:
    session = requests.Session()
    # A proxy that the environment names knows nothing of this machine's ports.
    session.trust_env = urlsplit(settings.blob_endpoint).hostname not in _LOOPBACK
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))
    return RequestsTransport(
        session=session,
        session_owner=False,
        connection_timeout=CONNECT_TIMEOUT,
        read_timeout=ANSWER_TIMEOUT,
        connection_data_block_size=PIECE,
    )


def code_of(error: AzureError) -> str:
    """Azure's own name of an error."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


#: What happened, in words; the first that fits.
_WORDS: Mapping[type[AzureError], str] = {
    ServiceRequestTimeoutError: "no connection in time",
    ServiceRequestError: "the connection is refused",
    ServiceResponseTimeoutError: "no answer in time",
    ServiceResponseError: "the connection broke off",
}


def _reason(error: AzureError, status: int | None, code: str) -> str:
    if status is not None:
        return f"it answers {status} {code}".rstrip()
    # Behind an answer that broke off in its middle stands the cause, as an attribute.
    causes = (error, getattr(error, "inner_exception", None))
    for kind, words in _WORDS.items():
        if any(isinstance(cause, kind) for cause in causes):
            return words
    return "the answer broke off" if isinstance(error, HttpResponseError) else str(error)
