"""The one place that reads the environment: every setting, its unit and its default. The prefix is ``VIDLAB_``."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from vidlab.errors import BadSetting
from vidlab.here import nearest_lab

MIB = 1024 * 1024

#: The account and key that Azurite publishes for everyone; no secret.
AZURITE_ACCOUNT = "devstoreaccount1"
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def azurite_connection_string(host: str, port: int) -> str:
    """What a storage client needs to reach an Azurite."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={AZURITE_ACCOUNT};AccountKey={AZURITE_KEY};"
        f"BlobEndpoint=http://{host}:{port}/{AZURITE_ACCOUNT};"
    )


def user_cache() -> Path:
    """The folder for what can be fetched again, as the system wants it."""
    home = Path.home()
    base = home / "Library/Caches" if sys.platform == "darwin" else home / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or base).absolute() / "vidlab"


#: Settings whose value is told to nobody, not even when it is wrong.
_SECRET = ("VIDLAB_API_TOKEN", "VIDLAB_STORAGE", "VIDLAB_KAFKA_PASSWORD")


class Settings(BaseSettings):
    """Where the servers are, and what is allowed. A lab fills in the addresses of what it started."""

    # A variable that is empty counts as not set, as shells have it.
    model_config = SettingsConfigDict(env_prefix="VIDLAB_", frozen=True, extra="ignore", env_ignore_empty=True)

    #: The lab's folder: data, logs, scratch, addresses. Not set: .vidlab of the nearest lab or project, from here up.
    state: Path = Field(default_factory=nearest_lab)
    #: How the lab runs that is meant: processes of this machine, containers, or those beside this container.
    lab: Literal["local", "compose", "inside"] = "local"
    #: This process's name, as `vidlab status` shows it.
    process: str = "cli"

    # -- addresses, as this process sees them
    kafka: str = "127.0.0.1:9092"
    #: For a Kafka that one must sign in to (SASL PLAIN over TLS); empty: one need not. For Azure's Event Hubs it is the
    #: namespace's connection string, and the name is what they call everyone.
    kafka_password: SecretStr = SecretStr("")
    kafka_username: str = "$ConnectionString"
    redis_url: str = "redis://127.0.0.1:6379/0"
    #: Empty means SQLite in the state folder.
    database_url: str = ""
    storage: SecretStr = SecretStr(azurite_connection_string("127.0.0.1", 10000))
    container: str = "videos"
    clamd: str = "127.0.0.1:3310"
    #: The API as seen from outside: what people are told.
    api_url: str = "http://127.0.0.1:8000"
    #: The API as this process reaches it, when that is another way: http://api:8000 between containers.
    api_inside: str = ""
    #: Where the API listens, when that is not where people are told to go: 0.0.0.0:8000 in a container.
    api_listen: str = Field(default="", pattern=r"^([^\s/]+:\d{1,5})?$")

    # -- who may speak to the API
    #: What everyone must send, but for media, /docs and /health/live; empty: nobody is asked for it.
    api_token: SecretStr = SecretStr("")
    #: Pages beside those of this machine that may do everything, with commas between: https://player.example
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()

    #: From one address, media aside; in a burst as many as in a minute. None: as many as come.
    requests_per_minute: int | None = Field(default=None, gt=0)
    media_requests_per_minute: int | None = Field(default=None, gt=0)
    #: Proxies before the API, with commas between, whose word on where a request came from is believed.
    trusted_proxies: str = ""

    # -- programs; empty means: find it (`vidlab doctor` shows which)
    ffmpeg: str = ""
    #: One that decodes more, for what the first cannot.
    ffmpeg_more: str = ""
    ffprobe: str = ""
    java: str = ""
    node: str = ""
    redis_server: str = ""
    clamd_program: str = ""
    #: A folder of Kafka's own download: its jars are in `libs/`.
    kafka_home: str = ""
    #: A folder into which npm installed azurite: its programs are in `node_modules/azurite/`.
    azurite_home: str = ""
    #: Where the set-up puts what is not a Python package.
    cache: Path = Field(default_factory=user_cache)

    # -- upload limits
    max_chunk_bytes: int = Field(default=64 * MIB, gt=0)
    #: What clamd scans in one piece: 2 bytes less than 2 GiB - 1, measured with ClamAV 1.4.
    max_file_bytes: int = Field(default=2**31 - 3, gt=0)
    max_chunks: int = Field(default=50_000, gt=0, le=50_000)
    max_title_length: int = Field(default=200, gt=0)
    #: An upload that is not finalized by then fails; Azure forgets uncommitted blocks after 7 days.
    upload_expiry_seconds: float = Field(default=24 * 3600.0, gt=0, lt=7 * 24 * 3600)

    # -- media limits
    max_duration_seconds: float = Field(default=4 * 3600.0, gt=0)
    max_pixels: int = Field(default=7680 * 4320, gt=0)
    #: Of what is made: a video with more plays with each second or third frame.
    max_frame_rate: float = Field(default=60.0, gt=0)
    #: Of what is sent.
    max_source_frame_rate: float = Field(default=1000.0, gt=0)
    max_streams: int = Field(default=32, gt=0)
    ffmpeg_timeout_seconds: float = Field(default=2 * 3600.0, gt=0)
    ffmpeg_memory_bytes: int = Field(default=4 * 1024 * MIB, gt=0)
    #: What one process may hold in its scratch folder.
    max_scratch_bytes: int = Field(default=16 * 1024 * MIB, gt=0)
    #: x264 threads of one rendition; 0 lets x264 choose.
    ffmpeg_threads: int = Field(default=2, ge=0)
    x264_preset: str = "veryfast"
    normalise: Literal["always", "auto", "never"] = "auto"
    #: When nothing moves to or from clamd for so long, it counts as away; it reads 2 GiB for minutes and is silent.
    scan_timeout_seconds: float = Field(default=300.0, gt=0)

    # -- work and waiting
    #: A consumer pauses while its queue holds that many tasks; None means two for each worker.
    queue_limit: int | None = Field(default=None, gt=0)
    beat_seconds: float = Field(default=1.0, gt=0)
    #: Successful polls of the keeper, a second apart, without a new beat: then the lease is free.
    beats_missed: int = Field(default=9, gt=1)
    max_attempts: int = Field(default=3, gt=0)
    max_lost: int = Field(default=5, gt=0)
    #: How long a job waits for a server that is away.
    patience_seconds: float = Field(default=600.0, gt=0)
    #: First pause before a second attempt; doubled each time.
    retry_seconds: float = Field(default=2.0, gt=0)

    #: By how much this process's clock is ahead; only the fault `clock-off` sets it.
    clock_off_seconds: float = 0.0
    #: How long sent messages and events are kept.
    history_seconds: float = Field(default=30 * 24 * 3600.0, gt=0)

    #: Workers tell Celery's monitors, such as Flower, what they do; one whose Redis hangs is then slow to notice that.
    monitored: bool = False

    #: Notebooks send shorter clips: for running many of them in turn.
    small_clips: bool = False

    # -- the local lab
    #: A port that is set is the only one that will do; else the usual one, or the next that is free.
    kafka_port: int | None = Field(default=None, gt=0, lt=65536)
    kafka_controller_port: int | None = Field(default=None, gt=0, lt=65536)
    redis_port: int | None = Field(default=None, gt=0, lt=65536)
    azurite_port: int | None = Field(default=None, gt=0, lt=65536)
    clamd_port: int | None = Field(default=None, gt=0, lt=65536)
    api_port: int | None = Field(default=None, gt=0, lt=65536)
    #: Put links before Kafka, Redis and Azurite, which faults can slow, cut and reset.
    links: bool = False
    #: How long `vidlab up` waits for one process to get ready.
    ready_seconds: float = Field(default=60.0, gt=0)

    def __init__(self, **values: Any) -> None:
        """What is not given is read from the environment. Raises BadSetting."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            variable = f"VIDLAB_{str(first['loc'][0]).upper()}"
            if variable in _SECRET:
                raise BadSetting(variable=variable, value="***", why=first["msg"]) from None
            raise BadSetting(variable=variable, value=first["input"], why=first["msg"]) from error

    @field_validator("cache")
    @classmethod
    def _from_anywhere(cls, path: Path) -> Path:
        """The servers run in folders of their own: from there a relative path would lead elsewhere."""
        return path.absolute()

    @field_validator("api_token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[!-~]*", token.get_secret_value()):
            raise ValueError("it may have letters, digits and signs of ASCII, and no blanks")
        return token

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: Any) -> tuple[str, ...]:
        listed = value.split(",") if isinstance(value, str) else value
        found = tuple(origin.strip().rstrip("/").lower() for origin in listed)
        for origin in found:
            if not re.fullmatch(r"https?://[^/?#\s*@]+", origin):
                raise ValueError(f"{origin or 'an empty one'} is no origin such as https://player.example:8443")
        return found

    @property
    def kafka_client(self) -> dict[str, str]:
        """How librdkafka reaches Kafka: its words for the address, and for signing in."""
        address = {"bootstrap.servers": self.kafka}
        password = self.kafka_password.get_secret_value()
        if not password:
            return address
        signing = {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}
        return {**address, **signing, "sasl.username": self.kafka_username, "sasl.password": password}

    @property
    def api_here(self) -> str:
        """The API's URL for this process's own requests, without a slash at its end."""
        return (self.api_inside or self.api_url).rstrip("/")

    @property
    def blob_endpoint(self) -> str:
        """The blob service's URL, as the connection string tells it."""
        parts = dict(part.split("=", 1) for part in self.storage.get_secret_value().split(";") if "=" in part)
        suffix = parts.get("EndpointSuffix", "core.windows.net")
        return parts.get("BlobEndpoint", f"https://{parts.get('AccountName', '')}.blob.{suffix}")

    @property
    def database(self) -> str:
        """The SQLAlchemy URL."""
        # Quoted, because what comes after a `?` would be options.
        return self.database_url or f"sqlite:///{quote(str(self.state.absolute() / 'vidlab.db'))}"

    @property
    def scratch(self) -> Path:
        """Where work in progress lies; a folder for each process."""
        return self.state.absolute() / "scratch" / self.process
