"""What the API answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel

from vidlab.models import Job, State, Status, Video
from vidlab.paths import media_path, playlist_path, thumbnail_path
from vidlab.pipeline.upload import Received
from vidlab.profiles import MASTER, PREPROCESSING, PROFILES
from vidlab.ranges import Run


class UploadView(BaseModel):
    """How far an upload is. Ranges are pairs of the first and the last chunk."""

    video_hash: str
    status: Status
    total_chunks: int
    received: list[Run]
    missing: list[Run]
    received_chunks: int
    bytes: int

    @classmethod
    def of(cls, upload: Received) -> Self:
        return cls(
            video_hash=upload.video.video_hash,
            status=upload.video.status,
            total_chunks=upload.video.total_chunks,
            received=upload.received,
            missing=upload.missing,
            received_chunks=len(upload.chunks),
            bytes=upload.bytes,
        )


class ErrorView(BaseModel):
    """Where a video failed, and why, in a sentence for people."""

    stage: str
    reason: str


class JobView(BaseModel):
    """A step of the pipeline, or a profile, as it is now."""

    name: str
    state: State
    attempt: int = 0
    #: 0.0 to 1.0
    progress: float = 0.0
    #: Seconds of video per second; 2.0 means twice as fast as it plays.
    speed: float | None = None
    #: Seconds that are left, as far as it can be told.
    eta: float | None = None
    #: Its place in its queue; 1 is next.
    place: int | None = None
    #: Since when it waits for a worker.
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    #: Why it failed, waits or was skipped.
    error: str | None = None
    #: The process that works on it.
    worker: str | None = None
    #: Where it can be played, once the video is completed.
    url: str | None = None
    #: What a rendition measured of itself.
    output: dict[str, Any] | None = None

    @classmethod
    def of(cls, job: Job, url: str | None = None, duration: float | None = None, place: int | None = None) -> Self:
        """`duration`: of the video, in seconds."""
        facts = {name: getattr(job, name) for name in cls.model_fields if hasattr(job, name)}
        return cls(**facts, name=job.stage, worker=job.owner, url=url, eta=_eta(job, duration), place=place)


def _eta(job: Job, duration: float | None) -> float | None:
    if job.state != State.RUNNING or not job.speed or duration is None:
        return None
    return round(duration * (1 - job.progress) / job.speed, 1)


class VideoSummary(BaseModel):
    """A video without its jobs."""

    video_hash: str
    title: str
    filename: str
    status: Status
    total_chunks: int
    bytes: int | None
    sha256: str | None
    width: int | None
    height: int | None
    #: Seconds.
    duration: float | None
    frame_rate: str | None
    codec: str | None
    actual_mime_type: str | None
    #: What was done to make the source of the renditions, and why.
    normalised: str | None
    created_at: datetime
    updated_at: datetime
    finalized_at: datetime | None
    ended_at: datetime | None
    error: ErrorView | None
    master_url: str | None
    thumbnail_url: str | None

    @classmethod
    def of(cls, video: Video, api_url: str, **more: Any) -> Self:
        """`api_url` is put before the paths: addresses are made when they are told."""
        facts = {name: getattr(video, name) for name in cls.model_fields if hasattr(video, name)}
        failed = video.status == Status.FAILED
        error = ErrorView(stage=video.error_stage or "", reason=video.error_reason or "") if failed else None
        played = video.status == Status.COMPLETED  # only then is anything served
        addresses: dict[str, Any] = {
            "master_url": f"{api_url}{video.hls_master_path}" if played and video.hls_master_path else None,
            "thumbnail_url": f"{api_url}{video.thumbnail_path}" if played and video.thumbnail_path else None,
        }
        return cls(**facts, **addresses, **more, error=error)


#: (video_hash, stage) -> place in its queue.
Places = Mapping[tuple[str, str], int]
NOWHERE: Places = {}


class VideoView(VideoSummary):
    """A video with all that is done to it."""

    #: In the order of the table of profiles.
    profiles: list[JobView]
    #: What comes before and after the profiles.
    steps: list[JobView]

    @classmethod
    def with_jobs(cls, video: Video, jobs: Sequence[Job], api_url: str, places: Places = NOWHERE) -> Self:
        """`places`: of those jobs that are queued."""
        profiles, steps = _profiles(video, jobs, api_url, places), _steps(video, jobs, places)
        return cls.of(video, api_url, profiles=profiles, steps=steps)


#: Before these end, a profile has no row, and is shown as waiting.
_BEFORE_FAN_OUT = (Status.UPLOADING, Status.PREPROCESSING)

_STEPS = (PREPROCESSING.name, MASTER)


def _profiles(video: Video, jobs: Sequence[Job], api_url: str, places: Places) -> list[JobView]:
    """The table's profiles in its order, then those that the table no longer has."""
    rows = {job.stage: job for job in jobs if job.stage not in _STEPS}
    if not rows and video.status in _BEFORE_FAN_OUT:
        return [JobView(name=profile.name, state=State.WAITING) for profile in PROFILES]
    order = [profile.name for profile in PROFILES if profile.name in rows]
    order += [name for name in rows if name not in order]
    return [_job(video, rows[name], places, _url(video, rows[name], api_url)) for name in order]


def _steps(video: Video, jobs: Sequence[Job], places: Places) -> list[JobView]:
    return [_job(video, job, places) for job in jobs if job.stage in _STEPS]


def _job(video: Video, job: Job, places: Places, url: str | None = None) -> JobView:
    place = places.get((job.video_hash, job.stage))
    return JobView.of(job, url, None if job.stage in _STEPS else video.duration, place)


def _url(video: Video, job: Job, api_url: str) -> str | None:
    if video.status != Status.COMPLETED or job.state != State.DONE:
        return None
    pictures = {profile.name for profile in PROFILES if not profile.height}
    is_picture = job.stage in pictures
    path = thumbnail_path(video.video_hash) if is_picture else playlist_path(video.video_hash, job.stage)
    return f"{api_url}{media_path(path)}"


class VideoPage(BaseModel):
    """Videos, the newest first."""

    items: list[VideoSummary]
    #: To be sent as `cursor` for those that come after; null when there are none.
    next: str | None


class Deleting(BaseModel):
    """A video that is gone for everyone; its files follow."""

    video_hash: str
    status: Status = Status.DELETING
