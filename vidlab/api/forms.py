"""Reads the form of a chunk as it comes: bounded in memory and on disk, and checked before anything is stored.

FastAPI's own reading takes a body of any size before an endpoint sees it. Here it is counted on its way, and stands
in a spool file without a name, which is gone with the request, whatever happens.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from vidlab.api.parts import Given
from vidlab.api.problems import UNREAD
from vidlab.errors import BadChunk, TooLarge
from vidlab.pipeline.upload import Chunk
from vidlab.settings import Settings

FIELD_BYTES = 16 * 1024  # of one field that is not the file
FORM_BYTES = 64 * 1024  # of everything but the file: fields, names and boundaries
MAX_FIELDS = 16
MAX_KEY_LENGTH = 255  # characters

_FIELDS: dict[str, dict[str, Any]] = {
    "file": {"type": "string", "format": "binary", "description": "The bytes of this chunk."},
    "chunk": {"type": "integer", "minimum": 0, "maximum": 49_999, "description": "Its number, from 0."},
    "total_chunks": {"type": "integer", "minimum": 1, "maximum": 50_000, "description": "How many there are in all."},
    "video_hash": {"type": "string", "description": "From the first answer; from the second call on."},
    "title": {"type": "string", "description": "Only the first call's counts; else the file's name."},
    "sha256": {
        "type": "string",
        "pattern": "^[0-9a-fA-F]{64}$",
        "description": "Of this chunk, in hex: checked before anything is stored.",
    },
}

#: What /docs shows of the form, and the header beside it.
DOCUMENTED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file", "chunk", "total_chunks"], "properties": _FIELDS}
            }
        },
    },
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "maxLength": MAX_KEY_LENGTH},
            "description": "Ties calls together before the video_hash is known; the same key means the same upload.",
        }
    ],
}


def spool_into(folder: Path) -> None:
    """Have this process put its spool files there: the system's folder is often held in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(folder)


async def _read_chunk(request: Request, parts: Given) -> AsyncIterator[Chunk]:
    """The chunk, whose spool file is open as long as the endpoint runs. Raises BadChunk, TooLarge."""
    form = await _parsed(request, parts.settings.max_chunk_bytes)
    try:
        yield _checked(form, request.headers.get("idempotency-key"), parts.settings)
    finally:
        await form.close()


SentChunk = Annotated[Chunk, Depends(_read_chunk)]


async def _parsed(request: Request, limit: int) -> FormData:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise BadChunk(why="the request is not multipart/form-data")
    parser = MultiPartParser(
        request.headers, _counted(request, limit), max_files=1, max_fields=MAX_FIELDS, max_part_size=FIELD_BYTES
    )
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise BadChunk(why=error.message.rstrip(".")) from error


async def _counted(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes. What says that it is too large is not read at all."""
    declared = request.headers.get("content-length", "0")
    seen = int(declared) if declared.isdecimal() else 0
    most = limit + FORM_BYTES
    setattr(request.state, UNREAD, True)
    _check_size(seen, most, limit)
    seen = 0
    async for piece in request.stream():
        seen += len(piece)
        _check_size(seen, most, limit)
        yield piece
    setattr(request.state, UNREAD, False)


def _check_size(size: int, most: int, limit: int) -> None:
    if size > most:
        raise TooLarge(what="The chunk", size=size, limit=limit, setting="VIDLAB_MAX_CHUNK_BYTES")


# -- fields


def _checked(form: FormData, key: str | None, settings: Settings) -> Chunk:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise BadChunk(why="the form has no file in its part `file`")
    size = file.size or 0
    _check_size(size, settings.max_chunk_bytes, settings.max_chunk_bytes)
    number, total = _number(form, "chunk"), _number(form, "total_chunks")
    if not 1 <= total <= settings.max_chunks:
        raise BadChunk(why=f"`total_chunks` is {total}, and must be from 1 to {settings.max_chunks}")
    if number >= total:
        raise BadChunk(why=f"`chunk` is {number}, and of {total} chunks the last one is {total - 1}")
    return Chunk(
        number=number,
        total=total,
        stream=file.file,
        bytes=size,
        filename=file.filename or "",
        title=_at_most(_text(form, "title") or "", settings.max_title_length, "`title`"),
        video_hash=_text(form, "video_hash"),
        idempotency_key=_at_most(key, MAX_KEY_LENGTH, "Idempotency-Key") if key else None,
        sha256=_digest(form),
    )


def _text(form: FormData, name: str) -> str | None:
    """A field's text; an empty one was not filled in."""
    value = form.get(name)
    if isinstance(value, UploadFile):
        raise BadChunk(why=f"`{name}` is a file, and must be text")
    return value or None


def _number(form: FormData, name: str) -> int:
    text = _text(form, name)
    if text is None:
        raise BadChunk(why=f"`{name}` is missing")
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise BadChunk(why=f"`{name}` must be a whole number, and is {text[:40]!r}")
    return int(text)


def _digest(form: FormData) -> str | None:
    text = _text(form, "sha256")
    if text and not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise BadChunk(why="`sha256` must be 64 hexadecimal digits")
    return text


def _at_most(text: str, limit: int, what: str) -> str:
    if len(text) > limit:
        raise BadChunk(why=f"{what} has {len(text)} characters, and at most {limit} are taken")
    return text
