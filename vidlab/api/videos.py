"""Videos: listed, shown, tried again, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from vidlab.api.document import problems
from vidlab.api.parts import Given, Parts
from vidlab.api.schemas import Deleting, VideoPage, VideoSummary, VideoView
from vidlab.models import State, Video

router = APIRouter(prefix="/videos", tags=["videos"])

MOST = 200  # videos of one answer

Listed = Literal["uploading", "preprocessing", "processing", "completed", "failed"]


def shown(parts: Parts, video: Video) -> VideoView:
    """A video with its jobs."""
    return shown_all(parts, [video])[0]


def shown_all(parts: Parts, videos: Sequence[Video]) -> list[VideoView]:
    """Several videos with their jobs, by a few questions to the database."""
    jobs = parts.store.jobs_of([video.video_hash for video in videos])
    queued = [name for name, found in jobs.items() if any(job.state == State.QUEUED for job in found)]
    places = parts.store.places(queued) if queued else {}
    api_url = parts.settings.api_url.rstrip("/")
    return [VideoView.with_jobs(video, jobs[video.video_hash], api_url, places) for video in videos]


@router.get("")
def videos(
    parts: Given,
    status: Annotated[Listed | None, Query(description="Only those with this status.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    cursor: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="`next` of the answer before.")] = None,
) -> VideoPage:
    """The newest first. The cursor keeps its place while videos come and go."""
    found = parts.store.videos(status=status, limit=limit + 1, before=cursor)
    api_url = parts.settings.api_url.rstrip("/")
    items = [VideoSummary.of(video, api_url) for video in found[:limit]]
    return VideoPage(items=items, next=str(found[limit - 1].id) if len(found) > limit else None)


@router.get("/{video_hash}", responses=problems(404))
def video(video_hash: str, parts: Given) -> VideoView:
    """Status, each profile's state, progress, times and error, and where it plays."""
    return shown(parts, parts.store.video(video_hash))


@router.post("/{video_hash}/retry", status_code=202, responses=problems(404, 409))
def retry(video_hash: str, parts: Given) -> VideoView:
    """Begin again with what failed, and only that."""
    return shown(parts, parts.store.retry(video_hash))


@router.delete("/{video_hash}", status_code=202, responses=problems(404))
def delete(video_hash: str, parts: Given) -> Deleting:
    """Gone at once for everyone; the files follow when nobody works on them any more."""
    parts.store.delete(video_hash)
    return Deleting(video_hash=video_hash)
