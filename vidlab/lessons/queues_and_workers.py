"""The lesson `04_queues_and_workers`: its exercises, what they are judged by, and the words that its cells use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlab.clips import AAC, H264, Clip, make_clip, picture, tone
from vidlab.face import Lab, Video
from vidlab.face.waiting import until
from vidlab.jobs import Queues
from vidlab.lessons import hold_up, kills
from vidlab.lessons.exercise import Exercise, is_one_of
from vidlab.lessons.falling_behind import silent
from vidlab.lessons.hold_up import Run, share_group_works, table
from vidlab.lessons.kills import Impatience, Kill, impatient
from vidlab.lessons.leftovers import tidy
from vidlab.lessons.sharers import Shared, lose_a_sharer
from vidlab.lessons.start_here import at_work, now, verdict_on
from vidlab.naive.habits import Habits

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Habits",
    "Impatience",
    "Shared",
    "at_work",
    "impatient",
    "lose_a_sharer",
    "now",
    "share_group_works",
    "table",
    "tidy",
    "verdict_on",
]

#: One stage works on it for some seconds, and the others have next to nothing to do.
LONG_CLIP = Clip(
    name="long",
    what="320x180, 60 frames/s, 42 s: one rung, seven segments",
    arguments=f"{picture(rate='60', seconds=42)} {tone(42)} {H264} -preset ultrafast {AAC}",
)

Row = dict[str, Any]


@dataclass
class Facts:
    """What the learner's own run showed: the exercises are judged by it."""

    consumer_works: Run | None = None
    #: The last kill with early acknowledgement.
    early: Kill | None = None
    #: The worker that was paused, when that was, and the events of its stage.
    paused: str = ""
    paused_at: datetime | None = None
    paused_events: Sequence[Row] = ()


_facts = Facts()

NOT_YET_RUN = "run the cells above first"


# -- Kafka and Celery


def consumer_works(lab: Lab) -> Run:
    """Two consumers do the work themselves."""
    _facts.consumer_works = hold_up.consumer_works(lab)
    return _facts.consumer_works


def hand_over(lab: Lab, habits: Habits) -> Run:
    """Two consumers hand over to two workers with those habits."""
    return hold_up.hand_over(lab, habits)


def kill_one(lab: Lab, habits: Habits) -> Kill:
    """One worker with those habits is killed, and another takes its place."""
    kill = kills.kill_one(lab, habits)
    if not habits.late:
        _facts.early = kill
    return kill


# -- the lab's own workers


def long_clip(lab: Lab) -> Path:
    """A clip that is small and long."""
    return make_clip(LONG_CLIP, lab.settings.state.absolute() / "clips", lab.settings)


@dataclass(frozen=True, kw_only=True)
class Takeover:
    """What happened to a stage after its worker was killed; seconds count from the kill."""

    #: Until the keeper freed the lease.
    freed: float
    #: Until somebody claimed the stage again.
    claimed: float
    by: str
    attempt: int
    fence: int

    def _repr_html_(self) -> str:
        import pandas as pd

        return str(pd.DataFrame([asdict(self)]).round(1).to_html(index=False))


def takeover(video: Video, stage: str, killed_at: datetime) -> Takeover:
    """Wait until somebody has taken over after the kill. Raises LookupError when the stage was done by then."""

    def is_claimed() -> bool:
        events = [one["kind"] for one in _of_stage(video, stage) if one["at"] > killed_at]
        return "claimed" in events or video.refresh().status in ("completed", "failed")

    until(is_claimed, f"somebody to take over {stage}")
    return taken_over(_of_stage(video, stage), killed_at)


def taken_over(events: Sequence[Row], killed_at: datetime) -> Takeover:
    """The same of the events of one stage."""
    after = [one for one in events if one["at"] > killed_at]
    freed = next((one for one in after if one["kind"] == "lease_expired"), None)
    claimed = next((one for one in after if one["kind"] == "claimed"), None)
    if not (freed and claimed):
        raise LookupError("after the kill nobody was told dead, or nobody took over: was it done by then?")
    return Takeover(
        freed=(freed["at"] - killed_at).total_seconds(),
        claimed=(claimed["at"] - killed_at).total_seconds(),
        by=claimed["process"],
        attempt=int(claimed["attempt"]),
        fence=int(claimed["fence"]),
    )


def kept_for_the_dead(lab: Lab, video: Video, stage: str) -> int:
    """How many tasks of that stage Redis keeps as taken and not acknowledged."""
    return sum((task.video_hash, task.job, task.taken) == (video.video_hash, stage, True) for task in _tasks(lab))


def _tasks(lab: Lab) -> Sequence[Any]:
    queues = Queues(lab.settings)
    try:
        return queues.tasks()
    finally:
        queues.redis.close()
        queues.app.close()


@contextmanager
def one_more(lab: Lab, kind: str) -> Iterator[None]:
    """One more process of a kind while the block lasts."""
    have = int((lab.status()["kind"] == kind).sum())
    before = lab.scale(kind, have + 1)
    try:
        yield
    finally:
        lab.scale(kind, before)


@contextmanager
def paused(lab: Lab, name: str) -> Iterator[None]:
    """A process that is silent while the block lasts."""
    with silent(lab, name):
        _facts.paused_at = now()
        yield


def fenced_off(lab: Lab, worker: str, video: Video, stage: str) -> pd.DataFrame:
    """Wait until the worker has noticed that its lease is another's, and give what happened to the stage.

    Raises NotThere when it does not notice.
    """
    sentence = f"no longer holds the lease of {stage} of video {video.video_hash}"
    until(lambda: sentence in lab.logs(worker, 200).text, f"{worker} to notice that its lease is lost", 30)
    _facts.paused, _facts.paused_events = worker, _of_stage(video, stage)
    events = video.events()
    return events[events.stage == stage][["at", "kind", "process", "attempt", "fence"]]


def _of_stage(video: Video, stage: str) -> list[Row]:
    frame = video.events()
    rows = [dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False)]
    return [row for row in rows if row["stage"] == stage]


# -- side by side


def answers(lab: Lab, killed: Kill, slow: Impatience, shared: Shared, lease: Takeover) -> pd.DataFrame:
    """Three ways to get a lost worker's task to another: what each is set to, if to anything, and what was measured.

    Both are in seconds.
    """
    import pandas as pd

    # The keeper looks each second, and a lease is freed after so many looks without a beat.
    beats = float(lab.settings.beats_missed)
    rows = [
        ("Celery, acknowledged late", "killed", "visibility time-out", killed.visible, killed.back_after),
        ("Celery, acknowledged late", "slow", "visibility time-out", slow.visible, slow.back_after),
        ("Kafka's share group", "killed", "closed connection", None, shared.killed.back_after),
        ("Kafka's share group", "silent", "lock of the record", shared.lock, shared.paused.back_after),
        ("VidLab's lease", "killed", "missed beats", beats, lease.claimed),
        ("VidLab's lease", "silent", "missed beats", beats, after_pause()),
    ]
    columns = ["way", "worker is", "decided by", "set to", "back after"]
    frame = pd.DataFrame(rows, columns=columns).set_index("way").round(1)
    return frame.astype({"set to": object}).fillna({"set to": ""})


def after_pause() -> float:
    """Seconds from the pause until another had claimed the stage; nan: that was not run."""
    if _facts.paused_at is None or not _facts.paused_events:
        return float("nan")
    return taken_over(_facts.paused_events, _facts.paused_at).claimed


# -- what is right


def _judge_behind(answer: Any) -> str | None:
    run = _facts.consumer_works
    if run is None:
        return NOT_YET_RUN
    if float(answer) == run.behind:
        return None
    if float(answer) == len(run.rows) - 1:
        return "those on the other partition did not wait: somebody else reads it"
    return "count the short tasks on the partition of the long one: each had to wait until that was done"


def _judge_lost(answer: Any) -> str | None:
    kill = _facts.early
    if kill is None:
        return NOT_YET_RUN
    if float(answer) == kill.lost:
        return None
    if float(answer) in (kill.held, kill.held + kill.lost):
        return "what Redis kept for the dead worker came back when the time-out was over"
    return "compare what was sent with what was done in the end"


def publisher(events: Sequence[Row]) -> str:
    """Whose file was published: the process that told `done`."""
    return next(str(row["process"]) for row in events if row["kind"] == "done")


def _judge_publisher(answer: Any) -> str | None:
    if not _facts.paused_events:
        return NOT_YET_RUN
    if answer == publisher(_facts.paused_events):
        return None
    if answer == _facts.paused:
        return "that one slept, and its finish was refused: look who told `done`"
    return "name the process in the row whose kind is `done`, as a text such as 'worker-720p.1'"


TWICE, LOST, ONCE = "twice at the same time", "never", "once"

how_many_behind = Exercise(
    "How many short tasks had to wait for the long one, when the consumers worked themselves?",
    _judge_behind,
    right="All of its partition, and none of the other: who reads a partition reads it in order.",
    hints=(
        "own.table has a row per message, with its partition.",
        "Those of partition 0, without the long one itself.",
    ),
    solution="""
        table = own.table
        answer = int(((table.partition == 0) & (table.work < 1)).sum())
    """,
)

how_many_lost = Exercise(
    "With early acknowledgement: how many of the tasks were never done, although another worker took over?",
    _judge_lost,
    right="It was acknowledged when it began. From then on nobody but the dead worker knew of it.",
    hints=("early.sent and early.done are numbers.", "What was held came back; what was acknowledged did not."),
    solution="answer = early.sent - early.done",
)

visible_or_not = Exercise(
    "The visibility time-out is one hour, tasks are acknowledged late, and a task takes two hours. "
    "After an hour and a half, with nobody dead, "
    f"do two workers do it now ({TWICE!r}), one ({ONCE!r}), or none ({LOST!r})?",
    is_one_of(TWICE, (TWICE, LOST, ONCE), "look at what happened to the task that took longer than its time-out"),
    right="Celery cannot tell a slow worker from a dead one. No time-out is right for both.",
    hints=("You have just measured it, with seconds for hours.", "How often was it begun, and did anybody die?"),
    solution=f'answer = "{TWICE}"',
)

who_published = Exercise(
    "One worker slept, another took over, and both made the file. Which process's file was published?",
    _judge_publisher,
    right="The finish asks for owner and fence in the same UPDATE. The fence of the sleeper was too low.",
    hints=("Look at the events of the stage above.", "Publishing ends with the event `done`."),
    solution="""
        events = slept.events()
        answer = events[(events.stage == stage) & (events.kind == "done")].process.iloc[0]
    """,
)
