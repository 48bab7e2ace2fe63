"""The lesson `00_start_here`: what its exercises ask, and the little that its cells need beside the lab's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vidlab.face import Lab, Video, bars
from vidlab.face.waiting import until
from vidlab.lessons.exercise import Exercise, is_number
from vidlab.profiles import MASTER, PROFILES

if TYPE_CHECKING:
    import pandas as pd

    from vidlab.lab.verdict import Verdict

OVER = ("done", "failed", "skipped")  # states of a stage that nobody works on any more
BOUND = 60.0  # seconds within which the verdict wants a video to have ended

Row = dict[str, Any]


@dataclass
class Facts:
    """What the learner's own run showed: the exercises are judged by it."""

    #: Of the first video, as the API tells them.
    events: list[Row] = field(default_factory=list)
    spans: list[Row] = field(default_factory=list)
    #: Of the video whose worker was killed: when that was, and what happened to its stage.
    killed_at: datetime | None = None
    killed_events: list[Row] = field(default_factory=list)


_facts = Facts()

NOT_YET_SENT = "send the first video first: run the cells above"
NOT_COMPLETED = "your video did not complete, and so nobody wrote its master: send another one, or a sample"
NOT_YET_KILLED = "kill a worker first: run the cells above"


def about(first: Video) -> None:
    """Let the exercises ask about this video."""
    _facts.events, _facts.spans = _told(first)


def about_kill(video: Video, stage: str, killed_at: datetime) -> None:
    """Let the last exercise ask about this video, one of whose workers was killed then."""
    events, _ = _told(video)
    _facts.killed_at, _facts.killed_events = killed_at, [one for one in events if one["stage"] == stage]


def _told(video: Video) -> tuple[list[Row], list[Row]]:
    return _rows(video.events()), _rows(video.timeline())


def _rows(frame: pd.DataFrame) -> list[Row]:
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False)]


# -- what cells need


def at_work(video: Video, stage: str, share: float = 0.2, timeout: float = 120.0) -> str:
    """Wait until somebody has done that share of a stage, and give the name of the process.

    Raises NotThere after `timeout` seconds.
    """
    seen = ""

    def far_enough() -> bool:
        nonlocal seen
        there = _is_at(video.refresh(), stage, share)
        seen = _job(video, stage).get("worker") or seen
        return there

    until(far_enough, f"{stage} of {video.json['title']} to be at {share:.0%}", timeout)
    return seen or f"worker-{stage}"


def wait_for_kill(
    lab: Lab, video: Video, stage: str, share: float = 0.5, timeout: float = 120.0
) -> tuple[str, datetime | None]:
    """Wait until you have killed the worker of a stage: its name, and when. When that share is done, nobody has: None.

    Raises NotThere after `timeout` seconds.
    """
    worker = at_work(video, stage, 0.0, timeout)
    before, killed_at = _pid(lab, worker), None

    def killed_or_late() -> bool:
        nonlocal killed_at
        if _pid(lab, worker) != before:  # nobody has it, or the one that was started instead
            killed_at = now()
        return killed_at is not None or _is_at(video.refresh(), stage, share)

    with bars.doing(f"press kill beside {worker}, before it has done {share:.0%}"):
        until(killed_or_late, f"{worker} to be killed, or {stage} to be at {share:.0%}", timeout)
    return worker, killed_at


def _pid(lab: Lab, process: str) -> int | None:
    return {one.name: one.pid for one in lab.runner.status().processes}.get(process)


def _is_at(video: Video, stage: str, share: float) -> bool:
    job = _job(video, stage)
    return job.get("state") in OVER or bool(job.get("worker") and job.get("progress", 0.0) >= share)


def _job(video: Video, stage: str) -> Row:
    rows: dict[str, Row] = {job["name"]: job for job in video.json["profiles"]}
    return rows.get(stage, {})


def verdict_on(lab: Lab, videos: Sequence[Video], *, decode: bool = True) -> Verdict:
    """What `lab.check()` says, of these videos alone: a lab that was used for long takes long to judge."""
    from vidlab.lab.case import Terms
    from vidlab.lab.check import check
    from vidlab.lab.evidence import collect
    from vidlab.lab.history import read_all

    history = read_all(lab.state)  # the history first: of what is told after this, the rows know already
    mine = {video.video_hash for video in videos}
    return check(history, collect(lab.runner, mine, play=decode), Terms(bound=BOUND))


# -- who is last


def who_was_last(events: Sequence[Row]) -> str:
    """The profile whose worker was given the master playlist to write, by the video's events; "" when nobody was."""
    process = next((str(one["process"]) for one in events if (one["kind"], one["stage"]) == ("claimed", MASTER)), "")
    return process.removeprefix("worker-").partition(".")[0]


def _judge_last(answer: Any) -> str | None:
    if not _facts.events:
        return NOT_YET_SENT
    right, names = who_was_last(_facts.events), [profile.name for profile in PROFILES]
    if not right:
        return NOT_COMPLETED
    if answer not in names:
        return f"name a profile, as a text: one of {', '.join(names)}"
    if answer == right:
        return None
    return f"{answer} was not the one: whose worker `claimed` the stage {MASTER!r}?"


# -- waited and worked


def waited(spans: Sequence[Row], stage: str) -> float:
    """Seconds in which a stage of a video stood in a queue."""
    mine = [span for span in spans if (span["stage"], span["kind"]) == (stage, "queue")]
    return float(sum(span["seconds"] for span in mine))


def worked(spans: Sequence[Row], stage: str) -> float:
    """Seconds in which somebody had a stage in hand; the parts of an attempt lie within it and count once."""
    return float(sum(span["seconds"] for span in spans if (span["stage"], span["name"]) == (stage, stage)))


ASKED = PROFILES[0].name  # each video has it


def _judge_waited(answer: Any) -> str | None:
    if not _facts.spans:
        return NOT_YET_SENT
    right = waited(_facts.spans, ASKED) / (waited(_facts.spans, ASKED) + worked(_facts.spans, ASKED))
    given = float(answer)
    if not 0 <= given <= 1:
        return "a share lies between 0 and 1: divide the seconds waited by all seconds of the stage"
    if abs(given - (1 - right)) < abs(given - right) and abs(given - (1 - right)) < 0.01:
        return "that is the share in which it was worked on"
    return is_number(right, 0.01, "divide its seconds of kind `queue` by these and those of the span named as it")(
        given
    )


# -- nobody at work


def unattended(events: Sequence[Row], killed_at: datetime) -> float:
    """Seconds from the kill until somebody claimed the stage again."""
    claims = [one["at"] for one in events if one["kind"] == "claimed" and one["at"] > killed_at]
    return float((claims[0] - killed_at).total_seconds())


def _judge_unattended(answer: Any) -> str | None:
    if _facts.killed_at is None:
        return NOT_YET_KILLED
    right = unattended(_facts.killed_events, _facts.killed_at)
    freed = [one["at"] for one in _facts.killed_events if one["kind"] == "lease_expired"]
    # The two may lie close together: the answer is meant that it is nearer to.
    off = abs(float(answer) - (freed[0] - _facts.killed_at).total_seconds()) if freed else right
    if off < min(0.05, right / 2) and off < abs(float(answer) - right):
        return "by then the keeper had freed the lease; nobody had claimed it yet"
    return is_number(right, 0.02, "take the time of the first `claimed` after the kill, and subtract killed_at")(answer)


def now() -> datetime:
    """This moment, as events tell theirs."""
    return datetime.now(UTC)


# -- the exercises

how_many_groups = Exercise(
    "Each message of the topic video_processing goes to every group that reads it. How many groups are these?",
    is_number(len(PROFILES), 0, "count the kinds of consumers, without the one that reads video_preprocessing"),
    right="Each of them gets every message: that is the fan-out.",
    hints=(
        "A consumer belongs to the group of its stage: lab.status() lists the consumers.",
        "consumer-preprocessing reads the other topic.",
    ),
    solution="""
        kinds = lab.status()["kind"].unique()
        answer = sum(kind.startswith("consumer-") for kind in kinds) - 1
    """,
)

who_is_last = Exercise(
    "Which profile of your first video ended last, so that its worker wrote the master playlist?",
    _judge_last,
    right="Its finish turned the last column TRUE, in one UPDATE that also told it so. Nobody else could believe it.",
    hints=(
        "video.events() tells who `claimed` what. The stage to look for is `master`.",
        "The process is called worker-PROFILE.N; the answer is the profile.",
    ),
    solution="""
        events = video.events()
        process = events[(events.kind == "claimed") & (events.stage == "master")].process.iloc[0]
        answer = process.removeprefix("worker-").split(".")[0]
    """,
)

share_waited = Exercise(
    f"For which share of its time did {ASKED} of your first video wait in a queue? A number from 0 to 1.",
    _judge_waited,
    right="Where it waits, more workers help. Where it works, only faster work does.",
    hints=(
        "lab.timeline(video) has a column `kind`: `queue` is waiting.",
        "The span whose name is the stage's is the whole attempt; others lie within it.",
    ),
    solution=f"""
        spans = lab.timeline(video)
        mine = spans[spans.stage == "{ASKED}"]
        waited = mine[mine.kind == "queue"].seconds.sum()
        answer = waited / (waited + mine[mine["name"] == "{ASKED}"].seconds.sum())
    """,
)

nobody_at_work = Exercise(
    "For how many seconds after the kill did nobody work on the stage whose worker you killed?",
    _judge_unattended,
    right="So long it took to be sure that the worker was dead, and to find another. Nothing was lost by waiting.",
    hints=(
        "longer.events() has a row `claimed` for each time that somebody took the stage.",
        "Of these, the first after killed_at; subtract, and ask for .total_seconds().",
    ),
    solution="""
        events = longer.events()
        again = events[(events.kind == "claimed") & (events.stage == stage) & (events["at"] > killed_at)]
        answer = (again["at"].iloc[0] - killed_at).total_seconds()
    """,
)
