"""Real damage is done to a lab that is well, and the verdict finds it; mended, the lab is well again."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import ContentSettings
from sqlalchemy import Table, delete, insert, select, update

from tests.lab import ENDED, RunningLab
from tests.waiting import until
from vidlab import paths
from vidlab.bus import Bus
from vidlab.events import new_message
from vidlab.jobs import TASK, Queues, Task
from vidlab.lab import evidence as evidence_module
from vidlab.lab import history
from vidlab.lab.case import Terms
from vidlab.lab.check import TERMS, check
from vidlab.lab.compose.lab import ComposeLab
from vidlab.lab.evidence import Evidence, collect
from vidlab.lab.history import History, Writer
from vidlab.lab.identity import MARK
from vidlab.lab.verdict import Verdict
from vidlab.lab.workload import items, run
from vidlab.models import Event, Status, events, jobs, spans, videos
from vidlab.profiles import Topic
from vidlab.store.clock import now

ORPHAN = "f0" * 16
JUNK = b"\x47" + b"junk" * 500


@dataclass(frozen=True)
class Load:
    """Videos of this module's own, and what their clients saw."""

    lab: RunningLab
    history: History
    #: One that completed.
    good: str

    def evidence(self) -> Evidence:
        return collect(self.lab.local, [*self.history.hashes, ORPHAN])

    def judged(self, terms: Terms = TERMS) -> Verdict:
        return check(self.history, self.evidence(), terms)

    def events(self, kind: str) -> list[int]:
        return [event.id for event in self.lab.store.events(self.good) if event.kind == kind]

    def segment(self) -> str:
        return next(path for path in self.lab.storage.list_paths(f"{self.good}/hls/") if path.endswith(".ts"))


@pytest.fixture(scope="module")
def load(lab: RunningLab) -> Iterator[Load]:
    with Writer(lab.settings.state, "test-check") as writer:
        seen = run(items(4, ("tiny", "text", "blink", "infected"), rate=4), lab.settings, writer)
    for video_hash in seen.hashes:
        lab.ended(video_hash)
    yield Load(lab, seen, next(told.video_hash or "" for told in seen.videos if "tiny" in told.video))
    writer.path.unlink()


def rules(verdict: Verdict) -> list[str]:
    return [f"{one.kind}: {one.check}" for one in verdict.anomalies]


def test_a_lab_that_is_well_is_judged_so(load: Load) -> None:
    verdict = load.judged()
    assert rules(verdict) == []
    assert (verdict.videos, verdict.ended) == (4, 4)
    assert {told.expected is not None and told.finalized is not None for told in load.history.videos} == {True}


def test_work_in_progress_is_never_taken_for_harm(lab: RunningLab) -> None:
    """It is looked at again and again, from the first chunk to the last end, while one video is deleted."""
    with Writer(lab.settings.state, "test-busy") as writer, ThreadPoolExecutor(1) as pool:
        enough = threading.Event()  # videos are sent until there were some looks, which take seconds in containers
        wanted = items(60, ("tiny", "blink", "text"), rate=2)
        sending = pool.submit(run, wanted, lab.settings, writer, stop=enough)
        looks, deleted = 0, ""
        while not (sending.done() and all(_has_ended(lab, one) for one in writer.history().hashes - {deleted})):
            before = writer.history()
            # At the whole lab, and, with segments fetched and decoded, at these: others may have left many videos.
            for seen in (collect(lab.local, play=False), collect(lab.local, before.hashes)):
                verdict = check(before, seen, Terms(bound=10 * ENDED))
                assert [one for one in verdict.anomalies if one.video_hash in before.hashes | {None}] == []
            looks += 1
            if not deleted and before.finalized:
                deleted = min(before.finalized)
                lab.client.delete(deleted)
            if deleted and looks > 2:
                enough.set()
    assert looks > 2
    assert deleted
    until(lambda: "deleted" in lab.kinds(deleted), "it is removed")
    assert rules(check(writer.history(), collect(lab.local, writer.history().hashes))) == []
    writer.path.unlink()


def _has_ended(lab: RunningLab, video_hash: str) -> bool:
    return lab.client.video(video_hash)["status"] in ("completed", "failed")


# -- what is done to it, and undone


def change(lab: RunningLab, statement: Any) -> None:
    with lab.store.database.write() as connection:
        connection.execute(statement)


@contextmanager
def blob_changed(load: Load, path: str, content: bytes | None) -> Iterator[None]:
    """Other bytes, or none, with all that is told of the blob as it was."""
    client: Any = load.lab.storage.container.get_blob_client(path)
    found = client.get_blob_properties()
    kind = ContentSettings(content_type=found.content_settings.content_type)
    facts = {"metadata": found.metadata, "content_settings": kind, "overwrite": True}
    before = client.download_blob().readall()
    client.delete_blob() if content is None else client.upload_blob(content, **facts)
    yield
    client.upload_blob(before, **facts)


def segment_deleted(load: Load) -> AbstractContextManager[None]:
    return blob_changed(load, load.segment(), None)


def segment_is_junk(load: Load) -> AbstractContextManager[None]:
    return blob_changed(load, load.segment(), JUNK)


def master_lists_more(load: Load) -> AbstractContextManager[None]:
    path = paths.master_path(load.good)
    text = b"".join(load.lab.storage.open(path))
    lines = text.replace(b"144p/", b"4320p/").splitlines(keepends=True)[1:]
    return blob_changed(load, path, text + b"".join(line for line in lines if b"EXT-X-V" not in line))


def original_deleted(load: Load) -> AbstractContextManager[None]:
    return blob_changed(load, paths.original_path(load.good, "mp4"), None)


@contextmanager
def orphan_blob(load: Load) -> Iterator[None]:
    path = paths.source_path(ORPHAN)
    load.lab.storage.put_fenced(path, b"left", fence=1, content_type="video/mp4")
    yield
    load.lab.storage.delete_prefix(paths.video_prefix(ORPHAN))


@contextmanager
def staged_block(load: Load) -> Iterator[None]:
    path = f"{load.good}/original.webm"
    load.lab.storage.stage_chunk(path, 0, io.BytesIO(b"left"), 4)
    yield
    assert load.lab.storage.discard_upload(path)


@contextmanager
def scratch_file(load: Load) -> Iterator[None]:
    in_state(load.lab, "mkdir -p scratch/worker-1080p.1 && echo left > scratch/worker-1080p.1/left.ts")
    yield
    in_state(load.lab, "rm scratch/worker-1080p.1/left.ts")


def in_state(lab: RunningLab, command: str) -> None:
    """Have the shell do something in the folder that workers share, wherever that is."""
    if isinstance(lab.local, ComposeLab):
        lab.local.project.compose("exec", "--no-TTY", "--workdir", "/state", "keeper", "sh", "-c", command)
    else:
        subprocess.run(["sh", "-c", command], cwd=lab.settings.state, check=True)


@contextmanager
def stray_process(load: Load) -> Iterator[None]:
    environment = {MARK: load.lab.local.folder.lab_id}
    with subprocess.Popen(["/bin/sleep", "600"], env=environment, start_new_session=True) as process:
        yield
        process.kill()


@contextmanager
def rows_deleted(load: Load) -> Iterator[None]:
    tables: Sequence[Table] = (videos, jobs, spans)
    with load.lab.store.database.read() as connection:
        kept = {
            one: [dict(row) for row in connection.execute(select(one).where(mine(one, load))).mappings()]
            for one in tables
        }
    for one in reversed(tables):
        change(load.lab, delete(one).where(mine(one, load)))
    yield
    for one, rows in kept.items():
        change(load.lab, insert(one).values(rows))


def mine(one: Table, load: Load) -> Any:
    return one.c.video_hash == load.good


def told(kind: str, stage: str | None = None) -> Callable[[Load], AbstractContextManager[None]]:
    """A second event like that one."""

    @contextmanager
    def plant(load: Load) -> Iterator[None]:
        first = next(
            event for event in load.lab.store.events(load.good) if event.kind == kind and stage in (None, event.stage)
        )
        row = {name: getattr(first, name) for name in Event.__dataclass_fields__ if name != "id"} | {"at": now()}
        with load.lab.store.database.write() as connection:
            number = connection.scalar(insert(events).values(row).returning(events.c.id))
        yield
        change(load.lab, delete(events).where(events.c.id == number))

    return plant


def row_changed(one: Table, stage: str | None = None, **values: Any) -> Callable[[Load], AbstractContextManager[None]]:
    """A row says something else."""

    @contextmanager
    def plant(load: Load) -> Iterator[None]:
        meant = mine(one, load) if stage is None else mine(one, load) & (one.c.stage == stage)
        with load.lab.store.database.read() as connection:
            before = dict(connection.execute(select(*(one.c[name] for name in values)).where(meant)).mappings().one())
        change(load.lab, update(one).where(meant).values(values))
        yield
        change(load.lab, update(one).where(meant).values(before))

    return plant


#: What is done, and all that must be found then, with words that must stand in what the first one points at.
DAMAGE: dict[str, tuple[Callable[[Load], AbstractContextManager[None]], list[str], str]] = {
    "segment deleted": (segment_deleted, ["wrong: does not play"], "master.m3u8"),
    "segment is junk": (segment_is_junk, ["wrong: does not play"], "master.m3u8"),
    "master lists more": (master_lists_more, ["wrong: does not play", "wrong: master differs"], "master.m3u8"),
    "original deleted": (original_deleted, ["lost: no original"], "original.mp4"),
    "orphan blob": (orphan_blob, ["leaked: orphan blobs"], paths.source_path(ORPHAN)),
    "staged block": (staged_block, ["leaked: staged blocks"], "original.webm"),
    "scratch file": (scratch_file, ["leaked: scratch"], "scratch/worker-1080p.1/left.ts"),
    "stray process": (stray_process, ["leaked: process"], "pid "),
    "rows deleted": (rows_deleted, ["lost: no row", "leaked: orphan blobs"], "history: test-check/tiny-0000, request"),
    "a second end": (told("completed"), ["twice: two ends"], ""),
    "a second claim": (told("claimed", "144p"), ["twice: after done", "twice: one fence"], ""),
    "done again": (told("done", "144p"), ["twice: after done"], ""),
    "failed by hand": (
        row_changed(videos, status=Status.FAILED, error_stage="144p", error_reason="by hand"),
        ["wrong: end not told", "wrong: other end"],
        "",
    ),
    "other bytes": (row_changed(videos, sha256="00" * 32), ["wrong: other bytes"], ""),
    "a lease kept": (row_changed(jobs, stage="144p", owner="worker-144p.1"), ["leaked: lease"], "jobs row"),
    "an open span": (row_changed(spans, stage="master", status="open"), ["leaked: open span"], "span "),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_real_damage_is_found_and_nothing_else(load: Load, name: str) -> None:
    plant, expected, shows = DAMAGE[name]
    with plant(load):
        verdict = load.judged()
    assert rules(verdict) == expected
    first = verdict.anomalies[0]
    assert shows in first.shows
    assert first.events or first.shows
    assert rules(load.judged()) == []


def test_a_second_end_is_pointed_at_by_both_events(load: Load) -> None:
    with told("completed")(load):
        verdict = load.judged()
        assert list(verdict.anomalies[0].events) == load.events("completed")
    assert len(verdict.anomalies[0].events) == 2


def test_a_video_that_does_not_end_is_stuck_when_its_time_is_over(load: Load) -> None:
    with row_changed(videos, status=Status.PROCESSING, ended_at=None)(load):
        assert rules(load.judged(Terms(bound=3600))) == []
        assert rules(load.judged(Terms(bound=0))) == ["stuck: no end"]


def test_a_group_that_reads_no_more_is_stuck(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, video = load.lab, load.lab.store.video(load.good)
    monkeypatch.setattr(evidence_module, "CATCH_UP", 0.0)
    again = new_message(Topic.PROCESSING, load.good, video.source_etag or "", f"00-{load.good}-{'1' * 16}-01")
    lab.local.pause("consumer-thumbnail")
    try:
        Bus(lab.settings).publish(Topic.PROCESSING, load.good, again.to_json())
        verdict = check(load.history, replace(load.evidence(), only=None))
    finally:
        lab.local.resume("consumer-thumbnail")
    stuck = next(one for one in verdict.anomalies if "video_processing_thumbnail" in one.text)
    assert (stuck.kind, stuck.check) == ("stuck", "not read")
    assert "partition" in stuck.shows
    until(lambda: load.judged().legal.get("message_ignored", 0) == 2, "both groups have ignored it")


def test_a_task_that_was_taken_and_not_acknowledged_is_seen_in_redis(load: Load) -> None:
    queues, name = Queues(load.lab.settings), "test_check"
    headers = {"video_hash": load.good, "job": "144p"}
    queues.app.send_task(TASK, (load.good, "144p"), queue=name, headers=headers, ignore_result=True)
    with queues.app.connection() as connection, contextlib.closing(connection.SimpleQueue(name)) as queue:
        message = queue.get(timeout=ENDED)
        assert Task(queue=name, video_hash=load.good, job="144p", taken=True) in queues.tasks()
        assert load.judged().legal["task_left"] == 1
        message.ack()
    assert "task_left" not in load.judged().legal


# -- as a person types it


def vidlab(lab: RunningLab, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vidlab.cli", "--state", str(lab.settings.state), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=ENDED)


def test_the_command_exits_with_1_and_says_what_it_found(load: Load) -> None:
    with told("completed")(load):
        asked = vidlab(load.lab, "check", "--json", "--no-decode")
        shown = vidlab(load.lab, "check", "--no-decode")
    assert (asked.returncode, shown.returncode) == (1, 1)
    verdict = json.loads(asked.stdout)
    harm = ["lost", "stuck", "twice", "wrong", "leaked"]
    assert list(verdict) == ["videos", "ended", *harm, "legal_repeats", "anomalies"]
    assert [one["check"] for one in verdict["anomalies"] if one["video_hash"] == load.good] == ["two ends"]
    assert "two ends" in shown.stdout
    assert load.good[:8] in shown.stdout


def test_a_load_from_the_command_line_is_in_the_verdict(lab: RunningLab) -> None:
    done = vidlab(lab, "load", "2", "--clip", "blink", "--clip", "text", "--rate", "10")
    assert done.returncode == 0, done.stderr
    assert "2 of 2 videos finalized" in done.stdout
    (path,) = (Path(lab.settings.state) / "history").glob("load-*.jsonl")
    sent = history.read(path)
    for video_hash in sent.hashes:
        lab.ended(video_hash)
    verdict = check(sent, collect(lab.local, sent.hashes))
    assert rules(verdict) == []
    assert (verdict.videos, verdict.ended) == (2, 2)
