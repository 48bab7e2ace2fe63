"""`vidlab demo`: the main job, from a file to a playing picture, watched and checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vidlab.commands.bars import sending, watching
from vidlab.commands.common import State, out, shown, size, the_lab, vidlab
from vidlab.commands.progress import Arrivals
from vidlab.commands.videos import PATIENCE, SHOWN_HASH, seconds_to_end
from vidlab.views.video import renditions

if TYPE_CHECKING:
    from vidlab.client import Client
    from vidlab.settings import Settings

CHUNK = 1024 * 1024  # bytes; small, so that one sees that there are several
FETCH = 30.0  # seconds for one file


def demo(
    clip: Annotated[
        Path | None, typer.Argument(help="A video of yours; else the sample clip.", exists=True, metavar="[FILE]")
    ] = None,
    state: State = None,
) -> None:
    """Take a real video through the whole pipeline, and check that it plays. The lab stays up."""
    from vidlab.client import Client
    from vidlab.clips import sample_path
    from vidlab.logs import only_warnings

    only_warnings()
    settings = _lab_that_is_up(state)
    file = clip or sample_path()
    client = Client(settings.api_here, settings.api_token)
    video = _run(client, file)
    if video["status"] != "completed":
        out.print(f"\nfailed in {video['error']['stage']}: {video['error']['reason']}")
        raise typer.Exit(1)
    _tell(video)
    problems = _problems(video, settings)
    out.print(f"  every segment fetched and decoded: {'no' if problems else 'yes'}")
    for problem in problems:
        out.print(f"    {problem}")
    _what_next(video)
    if problems:
        raise typer.Exit(1)


def _lab_that_is_up(state: Path | None) -> Settings:
    lab = the_lab(state)
    if lab.status().state != "up":
        with Arrivals(shown(lab.folder.root)) as arrivals:
            lab.up(arrivals.tell)
        out.print()
    return lab.settings()


def _run(client: Client, file: Path) -> dict[str, Any]:
    with sending(file, quiet=False) as on_progress:
        sent = client.upload(file, chunk_bytes=CHUNK, on_progress=on_progress, again=True)
    chunks = sent["total_chunks"]
    out.print(f"{file.name}   {size(file.stat().st_size)}   video {sent['video_hash'][:SHOWN_HASH]}")
    out.print(f"  {'upload':<14}{chunks} of {chunks} chunks")
    with watching(quiet=False) as on_change:
        video: dict[str, Any] = client.wait(sent["video_hash"], timeout=PATIENCE, on_change=on_change)
    return video


def _tell(video: dict[str, Any]) -> None:
    finished = [job for job in video["profiles"] if job["finished_at"] and job["state"] == "done"]
    last = max(finished, key=lambda job: str(job["finished_at"]))["name"]
    seconds = seconds_to_end(video)
    out.print(f"\ncompleted {seconds:.1f} s after finalize; {last} was last and wrote the master playlist")
    out.print(renditions(video))


def _problems(video: dict[str, Any], settings: Settings) -> list[str]:
    """Fetch the master, each playlist and each segment as a player does, and decode them."""
    import httpx

    from vidlab.playback import check_playback, from_web

    with httpx.Client(timeout=FETCH, trust_env=False) as http:
        return list(check_playback(from_web(http), video["master_url"], settings).problems)


def _what_next(video: dict[str, Any]) -> None:
    program = vidlab()
    hints = {
        "play it": video["master_url"],
        "see why": f"{program} watch {video['video_hash'][:SHOWN_HASH]}",
        "who is behind": f"{program} lag",
        "break it": f"{program} kill worker-720p     then   make demo",
        "take it down": "make down",
    }
    out.print()
    for what, how in hints.items():
        out.print(f"  {what:<15}{how}")


COMMANDS = (demo,)
