"""Playlists, segments and thumbnails of completed videos, as players and browsers want them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

import structlog
from fastapi import APIRouter, Path, Request, Response
from starlette.responses import StreamingResponse

from vidlab.api.document import Responses, problems
from vidlab.api.parts import Given, Parts
from vidlab.errors import BlobGone, NoSuchMedia, RangeNotSatisfiable
from vidlab.paths import KINDS, MEDIA, kind_of
from vidlab.pipeline.play import PLAYABLE, blob_to_play
from vidlab.storage import Blob, Opened

router = APIRouter(prefix=MEDIA, tags=["media"])
log = structlog.get_logger()


_BYTES = {"content": {kind.mime_type: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS.values()}}
#: What /docs shows of the answers, and of the headers that are heeded.
ANSWERS: Responses = {
    200: {"description": "The whole file.", **_BYTES},
    206: {"description": "The range that was asked for.", **_BYTES},
    304: {"description": "The client has it already."},
    **problems(404, 416),
}
HEEDED: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "header", "schema": {"type": "string"}, "description": use}
        for name, use in {
            "Range": "One range of bytes; what is not understood is answered with everything.",
            "If-Range": "An ETag: the range is wanted only of these bytes.",
            "If-None-Match": "ETags that the client has.",
        }.items()
    ]
}

#: Checked where it is looked for, not by FastAPI: what is not there is 404, whatever it looks like.
Playable = Annotated[str, Path(json_schema_extra={"pattern": f"^({PLAYABLE.pattern})$"})]


class Part(NamedTuple):
    """The bytes that are asked for."""

    offset: int
    length: int


@router.get("/{video_hash}/{path:path}", response_class=Response, responses=ANSWERS, openapi_extra=HEEDED)
def media(video_hash: str, path: Playable, request: Request, parts: Given) -> Response:
    """`hls/master.m3u8`, what it lists, and `thumbnail.jpg`. Ranges and ETags work."""
    blob = _found(parts, video_hash, path)
    if _is_known(request, blob):
        return Response(status_code=304, headers=_headers(blob))
    part = _part(request, blob)
    offset, length = part or Part(0, blob.bytes)
    headers = _headers(blob) | {"Content-Length": str(length)}
    if part:
        headers["Content-Range"] = f"bytes {offset}-{offset + length - 1}/{blob.bytes}"
    if request.method == "HEAD":
        return Response(status_code=206 if part else 200, headers=headers)
    body = _pieces(_opened(parts, blob, offset, length))
    return StreamingResponse(body, 206 if part else 200, headers, media_type=kind_of(blob.path).mime_type)


router.head("/{video_hash}/{path:path}", include_in_schema=False)(media)


def _found(parts: Parts, video_hash: str, path: str) -> Blob:
    blob = parts.storage.head(blob_to_play(parts.store, video_hash, path))
    if blob is None:
        raise NoSuchMedia(path=f"{video_hash}/{path}")
    return blob


def _opened(parts: Parts, blob: Blob, offset: int, length: int) -> Opened:
    try:
        return parts.storage.open(blob.path, etag=blob.etag, offset=offset, length=length)
    except BlobGone as error:  # deleted a moment ago
        raise NoSuchMedia(path=blob.path) from error


def _pieces(opened: Opened) -> Iterator[bytes]:
    """The headers are out: when storage goes away now, all that can be done is to break off."""
    try:
        yield from opened
    except Exception as error:
        log.warning("broke off", path=opened.blob.path, reason=str(error))
        raise


def _headers(blob: Blob) -> dict[str, str]:
    kind = kind_of(blob.path)
    return {
        "Content-Type": kind.mime_type,
        "Cache-Control": kind.cache_control,
        "ETag": blob.etag,
        "Accept-Ranges": "bytes",
    }


# -- conditions and ranges (RFC 9110)


def _is_known(request: Request, blob: Blob) -> bool:
    """Does the client have exactly these bytes?"""
    asked = request.headers.get("if-none-match", "")
    tags = [tag.strip().removeprefix("W/") for tag in asked.split(",")]
    return blob.etag in tags or "*" in tags


def _part(request: Request, blob: Blob) -> Part | None:
    """The one range that is asked for; None for everything. Raises RangeNotSatisfiable.

    What is not understood, several ranges at once among it, is answered with everything, as the rules allow.
    """
    asked = re.fullmatch(r"bytes=(\d{0,19})-(\d{0,19})", request.headers.get("range", "").strip(), re.ASCII)
    condition = request.headers.get("if-range")
    if not asked or not any(asked.groups()) or condition not in (None, blob.etag):
        return None
    first, last = asked.groups()
    if not first:  # the last so many bytes
        start, end = max(0, blob.bytes - int(last)), blob.bytes
    else:
        start, end = int(first), min(int(last) + 1, blob.bytes) if last else blob.bytes
    if first and last and int(last) < int(first):
        return None
    if start >= end:
        raise RangeNotSatisfiable(size=blob.bytes)
    return Part(start, end - start)
