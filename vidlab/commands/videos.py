"""`vidlab upload watch wait videos video timeline retry`: sending videos, and seeing what becomes of them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from vidlab.commands.common import Json, State, out, print_json, size, the_lab
from vidlab.errors import UnknownVideo

if TYPE_CHECKING:
    from vidlab.client import Client

PATIENCE = 24 * 3600.0  # seconds; Ctrl-C ends the waiting, not the video
SHOWN_HASH = 8  # characters

Files = Annotated[list[Path], typer.Argument(help="Video files.", exists=True, dir_okay=False, metavar="FILE...")]
Video = Annotated[str, typer.Argument(help="A video_hash, or how it begins.", metavar="HASH")]


def upload(
    files: Files,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until each has ended.")] = False,
    title: Annotated[str | None, typer.Option("--title", help="A title; else the file's name.")] = None,
    as_json: Json = False,
    state: State = None,
) -> None:
    """Send videos in chunks; run again it goes on where it stopped. With --json a line per video."""
    client = _client(state)
    sent = [_send(client, file, title, quiet=as_json) for file in files]
    ended = [_ended(client, video, quiet=as_json) if wait else video for video in sent]
    for file, video in zip(files, ended, strict=True):
        if as_json:
            out.print(json.dumps(as_line(file, video)))
        elif wait:
            _tell_end(file, video)
    wanted = ["completed"] if wait else ["preprocessing", "processing", "completed"]
    if any(video["status"] not in wanted for video in ended):
        raise typer.Exit(1)


def watch(video: Video, state: State = None) -> None:
    """Follow a video to its end: a bar for each stage, waiting apart from work."""
    client = _client(state)
    found = find(client, video)
    ended = _ended(client, found, quiet=False)
    _tell_end(Path(ended["filename"]), ended)
    if ended["status"] != "completed":
        raise typer.Exit(1)


def wait(
    hashes: Annotated[list[str], typer.Argument(help="What `watch` takes, several times.", metavar="HASH...")],
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds after which it gives up.", min=0)] = PATIENCE,
    as_json: Json = False,
    state: State = None,
) -> None:
    """Wait until each of these videos has ended. Exit code 0 only when all are completed; with --json a line each."""
    client, deadline = _client(state), time.monotonic() + timeout
    awaited = [find(client, one) for one in hashes]
    ended = [client.wait(one["video_hash"], timeout=max(0.0, deadline - time.monotonic())) for one in awaited]
    for one in ended:
        file = Path(one["filename"])
        if as_json:
            out.print(json.dumps(as_line(file, one)))
        else:
            _tell_end(file, one)
    if any(one["status"] != "completed" for one in ended):
        raise typer.Exit(1)


def video(video: Video, as_json: Json = False, state: State = None) -> None:
    """Show one video as it is now: its status, and a bar for each stage."""
    from datetime import UTC, datetime

    from vidlab.views.video import picture

    found = find(_client(state), video)
    if as_json:
        print_json(found)
        return
    out.print(f"{found['title'] or found['filename']}   video {found['video_hash']}   {found['status']}")
    out.print(picture(found, datetime.now(UTC)))
    if found["ended_at"]:
        _tell_end(Path(found["filename"]), found)


def retry(video: Video, as_json: Json = False, state: State = None) -> None:
    """Begin again with what failed of a video, and only that."""
    client = _client(state)
    begun = client.retry(find(client, video)["video_hash"])
    if as_json:
        print_json(begun)
        return
    out.print(f"video {begun['video_hash'][:SHOWN_HASH]}   {begun['status']} again")


def timeline(video: Video, as_json: Json = False, state: State = None) -> None:
    """Show where a video's time went: each wait and each attempt, in seconds after finalize."""
    from datetime import UTC, datetime

    from vidlab.views.timeline import table

    client = _client(state)
    found = find(client, video)
    spans = client.timeline(found["video_hash"])
    if as_json:
        print_json(spans)
        return
    out.print(table(found, spans, datetime.now(UTC)))


def videos(
    status: Annotated[str | None, typer.Option("--status", help="Only those with this status.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many at the most.", min=1, max=200)] = 20,
    as_json: Json = False,
    state: State = None,
) -> None:
    """List videos, the newest first."""
    found = _client(state).videos(status=status, limit=limit)
    if as_json:
        print_json(found)
        return
    table = Table("video", "status", "title", "size", "seconds", "", box=None, header_style="dim")
    for one in found:
        bytes_, seconds = one["bytes"], one["duration"]
        facts = (size(bytes_) if bytes_ else "-", f"{seconds:.1f}" if seconds else "-")
        reason = f"{one['error']['stage']}: {one['error']['reason']}" if one["error"] else ""
        table.add_row(one["video_hash"][:SHOWN_HASH], one["status"], one["title"], *facts, reason)
    out.print(table)


def find(client: Client, beginning: str) -> dict[str, Any]:
    """The one video whose hash begins like that. Raises UnknownVideo when there is none, or more than one."""
    if len(beginning) == 32:
        return client.video(beginning)
    found = [one for one in client.videos(limit=200) if one["video_hash"].startswith(beginning)]
    if len(found) != 1:
        raise UnknownVideo(video_hash=beginning)
    return client.video(found[0]["video_hash"])


def as_line(file: Path, video: dict[str, Any]) -> dict[str, Any]:
    """What `upload --json` prints of a video."""
    return {
        "video_hash": video["video_hash"],
        "filename": file.name,
        "status": video["status"],
        "error": video["error"],
        "master_url": video["master_url"],
        "seconds": seconds_to_end(video),
    }


def seconds_to_end(video: dict[str, Any]) -> float | None:
    """From finalize to the end; None before that."""
    from datetime import datetime

    if not video["ended_at"] or not video["finalized_at"]:
        return None
    ended, finalized = (datetime.fromisoformat(video[name]) for name in ("ended_at", "finalized_at"))
    return round((ended - finalized).total_seconds(), 3)


def _client(state: Path | None) -> Client:
    from vidlab.client import Client

    settings = the_lab(state).settings()
    return Client(settings.api_here, settings.api_token)


def _send(client: Client, file: Path, title: str | None, *, quiet: bool) -> dict[str, Any]:
    from vidlab.commands.bars import sending

    with sending(file, quiet=quiet) as on_progress:
        video: dict[str, Any] = client.upload(file, title=title, on_progress=on_progress)
    if not quiet:
        out.print(f"{file.name}   {size(file.stat().st_size)}   video {video['video_hash'][:SHOWN_HASH]}")
    return video


def _ended(client: Client, video: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    from vidlab.commands.bars import watching

    with watching(quiet=quiet) as on_change:
        ended: dict[str, Any] = client.wait(video["video_hash"], timeout=PATIENCE, on_change=on_change)
    return ended


def _tell_end(file: Path, video: dict[str, Any]) -> None:
    seconds = seconds_to_end(video)
    after = f" {seconds:.1f} s after finalize" if seconds is not None else ""
    if video["status"] == "completed":
        out.print(f"{file.name}   completed{after}\n  play it     {video['master_url']}")
        return
    out.print(f"{file.name}   failed in {video['error']['stage']},{after}\n  {video['error']['reason']}")


COMMANDS = (upload, watch, wait, videos, video, timeline, retry)
