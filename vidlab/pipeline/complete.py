"""The fan-in's last step: the master playlist, a pure function of the rows, written by whoever finished last."""

from __future__ import annotations

from vidlab import paths
from vidlab.hls import Stream, master
from vidlab.models import Job, Lease, State
from vidlab.pipeline.work import Attempt
from vidlab.profiles import PROFILES


def complete(attempt: Attempt) -> Lease | None:
    """Store `master.m3u8`, then say that the video is completed: never the other way round."""
    video_hash = attempt.lease.video_hash
    jobs = attempt.shop.patiently(lambda: attempt.store.jobs(video_hash))
    path = paths.master_path(video_hash)
    text = master_playlist(jobs)
    attempt.storage.put_fenced(
        path, text.encode(), fence=attempt.lease.fence, content_type=paths.kind_of(path).mime_type
    )
    attempt.shop.patiently(lambda: attempt.store.finish_master(attempt.lease, paths.media_path(path)))
    return None


def master_playlist(jobs: list[Job]) -> str:
    """The same rows give the same text."""
    rungs = {profile.name for profile in PROFILES if profile.height}
    made = [job for job in jobs if job.state == State.DONE and job.stage in rungs]
    return master({job.stage: Stream.from_json(job.output or {}) for job in made})
