"""A large file on its way into the lab: it passes through a bounded spool, and a delete leaves nothing of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conditions import paused
from tests.lab import RunningLab
from tests.waiting import until
from vidlab import paths
from vidlab.settings import MIB

LARGE = 64 * MIB  # bytes; the largest chunk that a lab takes
GROWTH = 20 * MIB  # bytes by which the API's memory may grow meanwhile
BOUNDARY = "----a-large-file"


def form(**fields: str | int) -> tuple[bytes, bytes]:
    """What stands before and after the file in a form."""
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="large.mp4"\r\n\r\n'
    return "".join([*parts, head]).encode(), f"\r\n--{BOUNDARY}--\r\n".encode()


def post(lab: RunningLab, **fields: str | int) -> httpx.Response:
    """Send a chunk of zeros, a piece at a time: it is nowhere whole in memory."""
    head, tail = form(**fields)

    def body() -> Iterator[bytes]:
        yield head
        yield from (bytes(MIB) for _ in range(LARGE // MIB))
        yield tail

    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Length": str(size(head, tail))}
    url = f"{lab.settings.api_url}/videos/upload"
    return httpx.post(url, content=body(), headers=kind, timeout=60, trust_env=False)


def size(head: bytes, tail: bytes) -> int:
    return len(head) + LARGE + len(tail)


def memory(pid: int | None, what: str) -> int:
    """A process's memory now ("VmRSS") or at its most ("VmHWM"), in bytes."""
    match = re.search(rf"^{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert match
    return int(match[1]) * 1024


def on_the_way_to(address: str) -> int:
    """The bytes that were sent to that port of this machine, and that nobody there has taken yet."""
    port = f":{int(address.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(int(row[4].partition(":")[0], 16) for row in rows if row[2].endswith(port))


@pytest.fixture
def begun(lab: RunningLab) -> str:
    """An upload of two large chunks, of which the first is there."""
    answer = post(lab, chunk=0, total_chunks=2).raise_for_status().json()
    return str(answer["video_hash"])


@pytest.mark.local_only  # a container's first process is Docker's own, and not the API
def test_a_large_chunk_is_nowhere_whole_in_memory(lab: RunningLab, begun: str) -> None:
    pid = lab.local.status().process("api").pid
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the most begins anew
    before = memory(pid, "VmRSS")
    assert post(lab, chunk=1, total_chunks=2, video_hash=begun).status_code == 200
    assert memory(pid, "VmHWM") - before < GROWTH
    lab.client.delete(begun)


@pytest.mark.local_only  # what is on its way to a container does not stand in this machine's tables
def test_a_video_deleted_while_a_large_chunk_is_on_its_way_leaves_nothing(lab: RunningLab, begun: str) -> None:
    path = paths.original_path(begun, "mp4")
    assert lab.storage.staged_chunks(path) == {0: LARGE}
    with ThreadPoolExecutor(1) as pool:
        with paused(lab, "azurite"):
            sent = pool.submit(post, lab, chunk=1, total_chunks=2, video_hash=begun)
            until(lambda: on_the_way_to(lab.settings.blob_endpoint.rpartition("/")[0]) > 0, "it goes into storage")
            lab.client.delete(begun)
        assert sent.result(60).status_code == 404
    until(lambda: "deleted" in lab.kinds(begun), "the keeper has removed it")
    until(lambda: lab.storage.staged_chunks(path) == {}, "nothing is staged")
    assert lab.storage.list_paths(f"{begun}/") == []
