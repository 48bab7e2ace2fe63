"""Uploads: chunks come in, in any order; what is missing is told; finalize hands the video to the pipeline."""

from __future__ import annotations

from fastapi import APIRouter

from vidlab.api.document import problems
from vidlab.api.forms import DOCUMENTED, SentChunk
from vidlab.api.parts import Given
from vidlab.api.schemas import UploadView, VideoView
from vidlab.api.videos import shown

router = APIRouter(prefix="/videos", tags=["upload"])


@router.post("/upload", openapi_extra=DOCUMENTED, responses=problems(404, 409, 413))
def upload(chunk: SentChunk, parts: Given) -> UploadView:
    """Take one chunk. Sent twice, or together with others, the result is the same.

    A small video is one call with chunk=0 and total_chunks=1. Then finalize.
    """
    return UploadView.of(parts.uploads.receive(chunk))


@router.get("/{video_hash}/upload", responses=problems(404))
def progress(video_hash: str, parts: Given) -> UploadView:
    """What is there and what is missing: an interrupted upload goes on from here."""
    return UploadView.of(parts.uploads.progress(video_hash))


@router.post("/finalize/{video_hash}", responses=problems(404, 409, 413))
def finalize(video_hash: str, parts: Given) -> VideoView:
    """Make the file of its chunks and hand it to the pipeline. Called again it only tells how the video is."""
    return shown(parts, parts.uploads.finalize(video_hash))
