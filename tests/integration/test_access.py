"""A stranger's probes: what the API and the supervisor do for who has no business with them, as real processes."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.azurite import Azurite
from tests.integration.test_play import completed_video
from tests.integration.test_store import claimed, finalized, preprocessed
from tests.postgres import free_port
from tests.serving import api_process
from tests.unit.labs import StubLab
from vidlab import paths
from vidlab.client import Client
from vidlab.errors import TokenWanted
from vidlab.lab.status import LabStatus
from vidlab.profiles import Size
from vidlab.settings import MIB, Settings
from vidlab.storage import Storage
from vidlab.store import Store
from vidlab.store.migrate import migrate

TOKEN = "the-lab's-own"
FOREIGN = "https://evil.example"
SMALL = Size(256, 144)


@dataclass(frozen=True)
class Guarded:
    """An API process with a token, and what it stands on."""

    settings: Settings
    store: Store
    storage: Storage
    process: subprocess.Popen[bytes]

    def ask(self, path: str, method: str = "GET", body: bytes = b"", /, **headers: str) -> tuple[int, bytes]:
        """The path goes out as it is written, which a client for people would not do."""
        connection = http.client.HTTPConnection(urlsplit(self.settings.api_url).netloc, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def api(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    state = tmp_path_factory.mktemp("guarded")
    settings = azurite.settings(
        state=state,
        process="api",
        container="guarded",
        database_url=f"sqlite:///{state / 'vidlab.db'}",
        api_url=f"http://127.0.0.1:{free_port()}",
        api_token=TOKEN,
    )
    store, storage = Store(settings), Storage(settings)
    migrate(store.database)
    storage.ensure_container()
    with api_process(settings) as process:
        yield Guarded(settings, store, storage, process)
    storage.close()
    store.close()


# -- the token


def test_without_the_token_nothing_is_told_or_changed_and_completed_videos_play(api: Guarded) -> None:
    video_hash = completed_video(api.store, api.storage)
    video = f"/videos/{video_hash}"
    changing = [("/videos/upload", "POST"), (f"{video}/retry", "POST"), (video, "DELETE")]
    guesses = {"X-Nothing": "", "Authorization": "Bearer guess", "Cookie": f"token={TOKEN}"}
    for path, method in [("/videos", "GET"), ("/health", "GET"), ("/metrics", "GET"), *changing]:
        for name, value in guesses.items():
            status, body = api.ask(path, method, **{name: value})
            assert (status, json.loads(body)["title"]) == (401, "Token wanted"), path
            assert video_hash.encode() not in body.replace(path.encode(), b"")
    assert api.ask(f"/media/{video_hash}/hls/master.m3u8") == (200, b"#EXTM3U")


def test_who_sends_a_chunk_without_the_token_is_told_so_and_nothing_is_stored(api: Guarded) -> None:
    before = api.store.videos()
    status, body = api.ask("/videos/upload", "POST", os.urandom(32 * MIB))  # sent to its end, as simple clients do
    assert (status, "VIDLAB_API_TOKEN" in json.loads(body)["hint"]) == (401, True)
    assert api.store.videos() == before


def test_the_client_sends_the_token(api: Guarded, tmp_path: Path) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(b"all of it")
    client, stranger = Client(api.settings.api_url, api.settings.api_token), Client(api.settings.api_url)
    assert client.upload(file)["status"] == "preprocessing"
    with pytest.raises(TokenWanted, match="the request carries none"):
        stranger.upload(file)
    client.close()
    stranger.close()


def test_the_command_line_and_notebooks_know_the_token_of_the_lab(api: Guarded, tmp_path: Path) -> None:
    video_hash = completed_video(api.store, api.storage)
    with StubLab(tmp_path / "lab", with_parent=True) as lab:
        lab.down()
        lab.env |= {"VIDLAB_API_URL": api.settings.api_url, "VIDLAB_API_TOKEN": TOKEN}
        lab.up()
        assert lab.settings().api_token.get_secret_value() == TOKEN
        command = [sys.executable, "-m", "vidlab.cli", "--state", str(lab.folder.root), "videos", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["video_hash"] == video_hash


# -- limits


def test_who_asks_too_often_waits_and_no_other_name_helps(api: Guarded) -> None:
    more = {"process": "api.2", "api_url": f"http://127.0.0.1:{free_port()}"}
    settings = api.settings.model_copy(update=more)
    with api_process(settings, VIDLAB_REQUESTS_PER_MINUTE="60") as process:
        limited = replace(api, settings=settings, process=process)
        names = ({"X-Forwarded-For": f"10.0.0.{n}", "X-Real-IP": f"10.0.0.{n}"} for n in range(200))
        assert 429 in (limited.ask("/videos", **name)[0] for name in names)
        client = Client(settings.api_url, settings.api_token)
        seen = client.videos()  # the client of the command line comes when it may
        client.close()
    assert [video["video_hash"] for video in seen] == [video.video_hash for video in api.store.videos()]


# -- media and storage

#: Ways out of a video's folder, as they stand in a request.
WAYS_OUT = (
    "",
    "hls",
    "hls/",
    "hls/144p/",
    "original.mp4",
    "source.mp4",
    "hls/../source.mp4",
    "hls/%2e%2e/source.mp4",
    "hls/..%2fsource.mp4",
    "hls/%252e%252e/source.mp4",
    "hls/144p/..%5c..%5csource.mp4",
    "hls/master.m3u8%00",
    "hls/master.m3u8/",
    "hls/master.m3u8%3fcomp=list",
    "/hls/master.m3u8",
    "./hls/master.m3u8",
    "../../../../etc/passwd",
    "%2fetc%2fpasswd",
    "hls/144p/segment_%D9%A0%D9%A0%D9%A0.ts",
    "HLS/master.m3u8",
)


def test_no_path_leads_out_of_what_may_be_played(api: Guarded) -> None:
    video_hash, other = (completed_video(api.store, api.storage) for _ in range(2))
    for path in (*WAYS_OUT, f"hls/../../{other}/hls/master.m3u8", f"..%2f{other}/hls/master.m3u8"):
        assert api.ask(f"/media/{video_hash}/{path}")[0] == 404, path
        assert api.ask(f"/media/{video_hash}/{path}", "HEAD")[0] == 404, path
    for path in (
        "/media",
        "/media/",
        "/media/..",
        f"/media/%2e/{video_hash}/hls/master.m3u8",
        "/media/*/hls/",
    ):
        assert api.ask(path)[0] in (307, 401, 404), path  # 307: a slash more or less at its end


def test_media_of_what_did_not_complete_is_not_served(api: Guarded) -> None:
    for video_hash in (failed(api, infected=True), failed(api, infected=False), preprocessed(api.store, SMALL)):
        store_files(api.storage, video_hash)
        for path in ("hls/master.m3u8", "hls/144p/playlist.m3u8", "hls/144p/segment_000.ts", "thumbnail.jpg"):
            assert api.ask(f"/media/{video_hash}/{path}")[0] == 404, path
            assert api.ask(f"/media/{video_hash}/{path}", Authorization=f"Bearer {TOKEN}")[0] == 404, path


def failed(api: Guarded, *, infected: bool) -> str:
    video_hash = finalized(api.store)
    lease = claimed(api.store, video_hash, "preprocessing", "original")
    api.store.fail(lease, "the reason", permanent=True, infected=infected)
    assert api.store.video(video_hash).status == "failed"
    return video_hash


def store_files(storage: Storage, video_hash: str) -> None:
    """All that a completed video has."""
    prefix = paths.rendition_prefix(video_hash, "144p")
    playable = (paths.master_path(video_hash), f"{prefix}playlist.m3u8", f"{prefix}segment_000.ts")
    for path in (*playable, paths.thumbnail_path(video_hash)):
        storage.put_fenced(path, b"played", fence=1, content_type="")


def test_storage_lists_and_gives_nothing_to_a_stranger(api: Guarded) -> None:
    video_hash = completed_video(api.store, api.storage)
    container = f"{api.settings.blob_endpoint.rstrip('/')}/{api.settings.container}"
    with httpx.Client(trust_env=False) as stranger:
        for address in (
            f"{container}?restype=container&comp=list",
            f"{api.settings.blob_endpoint.rstrip('/')}?comp=list",
            f"{container}/{paths.original_path(video_hash, 'mp4')}",
            f"{container}/{paths.master_path(video_hash)}",
        ):
            answer = stranger.get(address)
            assert 400 <= answer.status_code < 500, address
            assert video_hash not in answer.text.replace(address, "")


def test_no_answer_hands_out_an_access_to_storage(api: Guarded) -> None:
    video_hash = completed_video(api.store, api.storage)
    video = f"/videos/{video_hash}"
    for path in ("/videos", video, f"{video}/upload", "/health", f"/media/{video_hash}/x"):
        _, body = api.ask(path, Authorization=f"Bearer {TOKEN}")
        for word in (b"sig=", b"AccountKey", b"sharedaccess", urlsplit(api.settings.blob_endpoint).netloc.encode()):
            assert word not in body, path


# -- where it listens


def test_the_api_listens_on_this_machine_only(api: Guarded) -> None:
    sockets = psutil.Process(api.process.pid).net_connections("inet")
    assert {one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


# -- the supervisor

#: Every order that it takes.
ORDERS: tuple[tuple[str, Any], ...] = (
    *((f"/processes/base/{verb}", None) for verb in ("kill", "pause", "resume", "restart")),
    ("/kinds/worker-360p/scale", {"count": 3}),
    ("/pids/1/kill", None),
    ("/faults/kill", {"target": "base", "seconds": 1}),
    ("/faults/over", {}),
    ("/down", None),
)


def strangers(secret: str) -> list[dict[str, str]]:
    """Headers that do not open it: without the secret, and with it from where it is not taken."""
    known = {"X-VidLab-Secret": secret}
    without = [{}, {"X-VidLab-Secret": "guess"}, {"X-VidLab-Secret": ""}, {"Cookie": f"X-VidLab-Secret={secret}"}]
    return [*without, known | {"Origin": FOREIGN}, known | {"Origin": "null"}, known | {"Host": "evil.example"}]


def test_the_supervisor_takes_no_order_from_a_stranger_or_a_foreign_page(tmp_path: Path) -> None:
    with StubLab(tmp_path / "lab", with_parent=True) as lab:
        before, running = lab.status(), lab.folder.read_lab()
        assert running is not None
        with httpx.Client(base_url=running.control_url, trust_env=False) as http:
            for headers in strangers(lab.folder.secret):
                for path, body in ORDERS:
                    answer = http.post(path, json=body, headers=headers)
                    assert (answer.status_code, answer.json()["error"]) == (403, "NotAllowed"), (path, headers)
                    assert "access-control-allow-origin" not in answer.headers
                for path in ("/status", "/processes", "/events", "/logs/base", "/faults"):
                    assert http.get(path, headers=headers).status_code == 403, (path, headers)
            asked = {"Origin": FOREIGN, "Access-Control-Request-Method": "POST"}
            assert http.options("/down", headers=asked).status_code == 400
        after = lab.status()
    assert facts(after) == facts(before)


def facts(status: LabStatus) -> list[object]:
    """What an order would change."""
    return [status.state, *((one.name, one.pid, one.state, one.restarts) for one in status.processes)]
