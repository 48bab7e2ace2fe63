"""Wrong: a video ended, and not as it should: it does not play, or what it ended with is not what was due."""

from __future__ import annotations

from collections.abc import Iterator

from vidlab import paths
from vidlab.lab.case import END_EVENTS, Case
from vidlab.lab.verdict import Finding
from vidlab.models import Job, State, Status, Video
from vidlab.profiles import MASTER, PREPROCESSING

HLS = "hls"  # the folder that a player sees


def _completed(case: Case) -> Video | None:
    return case.row if case.row and case.row.status == Status.COMPLETED else None


def _end(case: Case) -> tuple[int, ...]:
    return case.ids(*END_EVENTS)[-1:]


# -- what is there


def does_not_play(case: Case) -> Iterator[Finding]:
    """A player could not fetch or decode all that the master playlist lists."""
    if _completed(case) and case.viewing and case.viewing.problems:
        first, *others = case.viewing.problems
        more = f" (and {len(others)} more)" if others else ""
        yield Finding(text=f"it is completed and does not play: {first}{more}", events=_end(case), shows=_master(case))


def master_differs(case: Case) -> Iterator[Finding]:
    """The master playlist lists other renditions than those that are done."""
    if not _completed(case) or case.viewing is None or case.viewing.listed is None:
        return
    listed, done = set(case.viewing.listed), {f"{job.stage}/playlist.m3u8" for job in renditions(case)}
    for words, uris in (("does not list", done - listed), ("lists, and nobody made,", listed - done)):
        if uris:
            text = f"the master playlist {words} {', '.join(sorted(uris))}"
            yield Finding(text=text, events=case.ids("done", stage=MASTER), shows=_master(case))


def blob_missing(case: Case) -> Iterator[Finding]:
    """A file that a completed video has is not in blob storage. What a player looked for is the player's to tell."""
    if not _completed(case):
        return
    for path, job in sorted(files(case).items()):
        seen_by_player = case.viewing is not None and f"/{HLS}/" in path
        if path not in case.paths and not seen_by_player:
            text = f"{path} is not in blob storage"
            yield Finding(text=text, events=case.ids("done", stage=job.stage), shows=path, stage=job.stage)


def other_fence(case: Case) -> Iterator[Finding]:
    """A file was written by another attempt than the one that finished."""
    if not _completed(case):
        return
    made = files(case)
    for blob in case.blobs:
        job = made.get(blob.path)
        if job and blob.fence != job.fence:
            text = f"{blob.path} was written with fence {blob.fence}, and {job.stage} was done with fence {job.fence}"
            yield Finding(text=text, events=case.ids("done", stage=job.stage), shows=blob.path, stage=job.stage)


def not_all_done(case: Case) -> Iterator[Finding]:
    """It is completed, and a job or a column of it is not."""
    video = _completed(case)
    if video is None:
        return
    missing = [name for name, done in video.done.items() if not done]
    missing += [job.stage for job in case.jobs if job.state not in (State.DONE, State.SKIPPED)]
    if missing or not video.hls_master_path:
        text = f"it is completed, and {', '.join(dict.fromkeys(missing)) or 'its master playlist'} is not"
        yield Finding(text=text, events=_end(case), shows=f"videos row {video.id}")


# -- what was due


def other_end(case: Case) -> Iterator[Finding]:
    """It ended otherwise than its client says that it should."""
    due = case.told.expected if case.told else None
    if due is None or case.kept is None or not case.kept.ended:
        return
    ended, stage = str(case.kept.status), case.kept.error_stage
    if ended != due.status or due.stage not in (None, stage):
        how = f"{ended} in {stage}: {case.kept.error_reason}" if ended == Status.FAILED else ended
        yield Finding(text=f"it should have ended {due}, and ended {how}", events=_end(case), stage=stage)


def other_bytes(case: Case) -> Iterator[Finding]:
    """Preprocessing read other bytes than the client sent."""
    sent, read = case.told.sha256 if case.told else None, case.kept.sha256 if case.kept else None
    if sent and read and sent != read:
        text = f"other bytes were read than were sent: SHA-256 {read[:12]}, not {sent[:12]}"
        yield Finding(text=text, events=case.ids("done", stage=PREPROCESSING.name), stage=PREPROCESSING.name)


def end_not_told(case: Case) -> Iterator[Finding]:
    """Its row says that it ended, and its events do not, or tell another end."""
    if case.kept is None or not case.kept.ended or not case.of("uploading"):
        return
    told = case.of(*END_EVENTS, "retried")[-1:]
    word = "completed" if case.kept.status == Status.COMPLETED else "video_failed"
    if [event.kind for event in told] != [word]:
        last = told[0].kind if told else "nothing"
        text = f"its row is {case.kept.status}, and the last that its events tell of an end is {last}"
        yield Finding(text=text, events=_end(case) or case.last, shows=f"videos row {case.kept.id}")


# -- what a completed video consists of


def renditions(case: Case) -> list[Job]:
    """The jobs that made a stream; the thumbnail did not."""
    return [job for job in case.done if "segments" in (job.output or {})]


def files(case: Case) -> dict[str, Job]:
    """Path -> the job that made it, of all that its jobs say they made."""
    made = {job.stage: job for job in case.done}
    found: dict[str, Job] = {}
    for job in renditions(case):
        prefix = paths.rendition_prefix(case.video_hash, job.stage)
        names = [segment["name"] for segment in (job.output or {})["segments"]]
        found |= dict.fromkeys(
            [paths.playlist_path(case.video_hash, job.stage), *(prefix + name for name in names)], job
        )
    singles = {
        PREPROCESSING.name: paths.source_path(case.video_hash),
        MASTER: paths.master_path(case.video_hash),
        "thumbnail": paths.thumbnail_path(case.video_hash),
    }
    return found | {path: made[stage] for stage, path in singles.items() if stage in made}


def _master(case: Case) -> str:
    return paths.master_path(case.video_hash)
