"""What a verdict is made from: rows of one moment, blobs and what is staged, files and processes."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.unit.labs import StubLab
from vidlab.lab.evidence import strays_of
from vidlab.lab.identity import MARK
from vidlab.lab.scratch import scratch_of
from vidlab.models import Status
from vidlab.settings import Settings
from vidlab.storage import Storage
from vidlab.storage.blobs import BLOCK
from vidlab.store import Store, snapshot


def finalized(store: Store, title: str) -> str:
    video = store.create_upload(total_chunks=1, idempotency_key=None, filename="a.mp4", extension="mp4", title=title)
    store.finalize(video.video_hash, source_etag="original", bytes=10)
    return video.video_hash


# -- rows


def test_a_snapshot_holds_the_rows_of_all_tables_or_of_some_videos(store: Store) -> None:
    first, second = finalized(store, "A"), finalized(store, "B")
    store.delete(second)
    whole, one = store.snapshot(), store.snapshot([first])
    assert {video.video_hash: video.status for video in whole.videos}[second] == Status.DELETING
    assert [video.video_hash for video in one.videos] == [first]
    assert {job.video_hash for job in one.jobs} == {event.video_hash for event in one.events} == {first}
    assert {span.video_hash for span in one.spans} == {row.key for row in one.outbox} == {first}
    assert [row.sent_at for row in one.outbox] == [None]
    assert len(whole.events) > len(one.events)
    assert [event.id for event in whole.events] == sorted(event.id for event in whole.events)
    assert store.snapshot([]).videos == ()


def test_a_snapshot_is_of_one_moment(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is read, table by table, somebody finalizes a video."""
    video = store.create_upload(total_chunks=1, idempotency_key=None, filename="a.mp4", extension="mp4", title="A")
    read, others = snapshot._rows, iter([True])

    def slowly(*asked: Any) -> Any:
        rows = read(*asked)
        if next(others, None):
            with closing(Store(settings)) as other:
                other.finalize(video.video_hash, source_etag="original", bytes=10)
        return rows

    monkeypatch.setattr(snapshot, "_rows", slowly)
    seen = store.snapshot()
    assert [one.status for one in seen.videos] == [Status.UPLOADING]
    assert seen.jobs == ()
    assert [event.kind for event in seen.events] == ["uploading"]
    assert [one.status for one in store.snapshot().videos] == [Status.PREPROCESSING]


# -- blobs


def stage(storage: Storage, path: str, chunk: int) -> None:
    storage.stage_chunk(path, chunk, io.BytesIO(b"piece"), 5)


def test_blocks_that_nobody_committed_are_counted(storage: Storage) -> None:
    stage(storage, "a/original.mp4", 0)
    stage(storage, "a/original.mp4", 1)
    stage(storage, "b/original.mp4", 0)
    storage.commit_chunks("b/original.mp4", 1, "video/mp4")
    assert storage.uncommitted() == {"a/original.mp4": 2}
    assert storage.uncommitted("b/") == {}
    stage(storage, "b/original.mp4", 1)  # too late: it stays beside what is committed
    assert storage.uncommitted() == {"a/original.mp4": 2, "b/original.mp4": 1}
    storage.discard_upload("a/original.mp4")
    assert storage.uncommitted("a/") == {}


def test_blobs_are_listed_with_the_fence_that_wrote_them(storage: Storage) -> None:
    stage(storage, "a/original.mp4", 0)
    assert storage.list_blobs() == []
    storage.commit_chunks("a/original.mp4", 1, "video/mp4")
    small = storage.put_fenced("a/source.mp4", b"x", fence=3, content_type="video/mp4")
    large = storage.put_fenced("b/source.mp4", b"x" * (BLOCK + 1), fence=4, content_type="video/mp4")
    assert storage.list_blobs("a/")[1] == small
    assert storage.list_blobs("b/") == [large]
    assert [(blob.path, blob.fence) for blob in storage.list_blobs()] == [
        ("a/original.mp4", None),
        ("a/source.mp4", 3),
        ("b/source.mp4", 4),
    ]
    assert storage.uncommitted() == {}


# -- disk


def test_scratch_is_told_by_process_and_an_empty_folder_is_nothing(tmp_path: Path) -> None:
    assert scratch_of(tmp_path) == []
    (tmp_path / "scratch" / "api").mkdir(parents=True)
    assert scratch_of(tmp_path) == []
    folder = tmp_path / "scratch" / "worker-144p.1" / "hls"
    folder.mkdir(parents=True)
    (folder / "segment_000.ts").write_bytes(b"12345")
    (tmp_path / "scratch" / "stray").write_bytes(b"1")
    found = {left.name: (left.files, left.bytes) for left in scratch_of(tmp_path)}
    assert found == {"worker-144p.1": (("worker-144p.1/hls/segment_000.ts",), 5), "stray": (("stray",), 1)}


def test_a_scratch_folder_in_which_somebody_works_looks_another_each_time(tmp_path: Path) -> None:
    folder = tmp_path / "scratch" / "worker-144p.1"
    folder.mkdir(parents=True)
    (folder / "source.mp4").write_bytes(b"1")
    os.utime(folder, (0, 0))
    before = scratch_of(tmp_path)
    assert scratch_of(tmp_path) == before
    (folder / "source.mp4").unlink()
    (folder / "source.mp4").write_bytes(b"2")  # the next attempt's, of the same size
    assert scratch_of(tmp_path) != before


# -- processes


@pytest.fixture(scope="module")
def stub_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubLab]:
    with StubLab(tmp_path_factory.mktemp("strays"), with_parent=True) as running:
        yield running


def test_what_the_lab_runs_is_no_stray_and_what_it_does_not_is(stub_lab: StubLab) -> None:
    assert {one.state for one in stub_lab.status().processes} <= {"running", "done"}
    assert strays_of(stub_lab) == []
    marked = {MARK: stub_lab.folder.lab_id}
    with subprocess.Popen(["/bin/sleep", "600"], env=marked, start_new_session=True) as process:
        found = strays_of(stub_lab)
        process.kill()
    assert [(one.pid, one.command) for one in found] == [(process.pid, "/bin/sleep 600")]
    assert strays_of(stub_lab) == []
