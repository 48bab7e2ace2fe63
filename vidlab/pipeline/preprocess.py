"""Scan, probe, normalise: from what the user sent to the source that the renditions are made from.

No byte reaches ffmpeg or ffprobe before the scanner said in so many words that the file is clean. The original is
read once: what goes to the scanner is written to scratch and hashed on its way.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from vidlab import paths
from vidlab.errors import FFmpegFailed
from vidlab.ffmpeg import Progress, run
from vidlab.media import Media
from vidlab.models import Lease
from vidlab.normalise import Plan, normalise_command, normalise_plan
from vidlab.pipeline.work import Attempt
from vidlab.probe import probe
from vidlab.scan import Readable, Scanner

log = structlog.get_logger()

SCANNED = 0.5  # the share of the bar that the scan fills


def preprocess(attempt: Attempt) -> Lease | None:
    """Scan the original, make `source.mp4`, and hand the video to the profiles."""
    original = attempt.file(f"original.{attempt.video.extension}")
    source = attempt.file("source.mp4")
    with attempt.span("scan"):
        digest = _fetch_and_scan(attempt, original)
    with attempt.span("probe"):
        media = probe(original, attempt.settings, attempt.stopping)
        plan = normalise_plan(media, attempt.settings.normalise)
    with attempt.span("normalise"):
        plan = _normalise(attempt, plan, media, original, source)
        made = probe(source, attempt.settings, attempt.stopping)
    with attempt.span("upload"):
        path = paths.source_path(attempt.video.video_hash)
        blob = attempt.store_file(path, source)
    facts = _facts(media, plan) | {"sha256": digest, "source_etag": blob.etag, "media": made.as_json()}
    attempt.shop.patiently(lambda: attempt.store.finish_preprocessing(attempt.lease, facts, made.size))
    return None


def _fetch_and_scan(attempt: Attempt, target: Path) -> str:
    """The SHA-256 of the original, once it lies in `target` and is clean. Raises Infected, DependencyAway."""
    video = attempt.video
    path = paths.original_path(video.video_hash, video.extension)
    with attempt.storage.reader(path, etag=video.original_etag) as blob, target.open("wb") as file:
        tee = _Tee(attempt, blob, file, total=video.bytes or 1)
        Scanner(attempt.settings).scan(tee, attempt.stopping)
        return tee.digest.hexdigest()


class _Tee:
    """What the scanner reads is written and hashed too."""

    def __init__(self, attempt: Attempt, source: Readable, file: BinaryIO, total: int) -> None:
        self.attempt = attempt
        self.source = source
        self.file = file
        self.total = total
        self.digest = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        self.attempt.check()
        piece = self.source.read(size)
        self.file.write(piece)
        self.digest.update(piece)
        self.attempt.report(Progress(fraction=SCANNED * min(1.0, self.file.tell() / self.total), speed=None))
        return piece


def _normalise(attempt: Attempt, plan: Plan, media: Media, original: Path, source: Path) -> Plan:
    """Make `source` by the plan; gives the plan that was followed: what cannot be re-muxed is encoded after all."""
    try:
        _make(attempt, plan, media, original, source)
    except FFmpegFailed as error:
        if plan.action == "encode" or attempt.settings.normalise == "never":
            raise
        plan = Plan(action="encode", reasons=(f"it could not be re-muxed: {error.facts['why']}",))
        _make(attempt, plan, media, original, source)
    return plan


def _make(attempt: Attempt, plan: Plan, media: Media, original: Path, source: Path) -> None:
    log.info("normalising", action=plan.action, reasons=plan.reasons)

    def report(done: Progress) -> None:
        attempt.report(Progress(fraction=SCANNED + (1 - SCANNED) * done.fraction, speed=done.speed))

    source.unlink(missing_ok=True)
    command = normalise_command(original, source, media, plan, attempt.settings)
    run(command, attempt.settings, duration=media.duration, on_progress=report, stopping=attempt.stopping)


def _facts(media: Media, plan: Plan) -> dict[str, Any]:
    """The columns of `videos` that tell what the user sent."""
    return {
        "width": media.size.width,
        "height": media.size.height,
        "duration": media.duration,
        "frame_rate": media.frame_rate,
        "codec": media.codec,
        "actual_mime_type": media.actual_mime_type,
        "normalised": str(plan),
    }
