"""A reader of messages is killed in the middle: which of them reach the queue, and how often?"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from vidlab.errors import LabFailed, NotThere
from vidlab.face import Lab
from vidlab.face.waiting import until
from vidlab.lab.launch import Program, launch, signal_group
from vidlab.lessons.groups import Groups
from vidlab.lessons.own_topic import OwnTopic
from vidlab.naive.reader import Plan

if TYPE_CHECKING:
    import pandas as pd

MODULE = "vidlab.naive.reader"
DONE = 60.0  # seconds for one reader, on a busy machine
COMMITS = 1.0  # seconds in which a client that commits by itself, often, has done so
NOTHING = 0.2  # seconds for which a commit is looked for that ought not to come


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What goes wrong on the way."""

    messages: int = 12
    #: Offsets at which the queue is away for a moment.
    away: tuple[int, ...] = ()
    #: Offset of the message in whose middle the reader is killed; after that another one goes on.
    killed_at: int | None = None
    #: Is it killed after the message was handed on, rather than before?
    handed_on: bool = False
    #: Seconds between two commits of a client that commits by itself; its own default is 5.
    commit_every: float = 0.05


@dataclass(frozen=True)
class Outcome:
    """How often each message came to the queue."""

    messages: int
    #: The next offset to read, as the group had committed it when its reader was killed.
    committed: int | None
    lost: list[int]
    twice: list[int]


def run(lab: Lab, trouble: Trouble, *, careful: bool) -> Outcome:
    """Hand on messages of a topic of its own, with real processes and a real SIGKILL."""
    with OwnTopic(lab.settings, 1) as topic, TemporaryDirectory() as folder:
        queue, plan = Path(folder) / "queue", plan_of(topic, careful=careful)
        topic.post([(0, message(number)) for number in range(trouble.messages)])
        committed = None
        if trouble.killed_at is not None:
            committed = _until_killed(lab, queue, _with(plan, trouble, stop=True))
            trouble = Trouble(messages=trouble.messages)  # whoever comes after finds all well
        _to_the_end(queue, _with(plan, trouble, stop=False))
        return _outcome(trouble.messages, committed, told(queue, "handed on"))


def plan_of(topic: OwnTopic, *, careful: bool) -> Plan:
    """What a reader of that topic does while all is well; its group goes with the topic."""
    group = f"{topic.name}-readers"
    topic.groups.append(group)
    return Plan(kafka=topic.settings.kafka, topic=topic.name, group=group, careful=careful)


def message(number: int) -> str:
    """One that can be read."""
    return json.dumps({"video": number})


def _with(plan: Plan, trouble: Trouble, *, stop: bool) -> Plan:
    stops_at = trouble.killed_at if stop else None
    return replace(
        plan, away=trouble.away, stop=stops_at, handed_on=trouble.handed_on, commit_every=trouble.commit_every
    )


def _until_killed(lab: Lab, queue: Path, plan: Plan) -> int:
    groups = Groups(lab.settings)

    def committed() -> int:
        return groups.committed(plan.group, plan.topic).get(0, 0)

    commits = not plan.careful and plan.commit_every < COMMITS
    with reader(queue, plan) as process:
        wait(process, queue, lambda: bool(told(queue, "stands")), "the reader to be in the middle")
        with suppress(NotThere):  # a careful one has not committed this message, and will not
            until(lambda: committed() > (plan.stop or 0), "a commit", COMMITS if commits else NOTHING)
        signal_group(process.pid, signal.SIGKILL)
        process.wait()
    return committed()


def _to_the_end(queue: Path, plan: Plan) -> None:
    with reader(queue, plan) as process:
        until(lambda: process.poll() is not None, "the reader to end", DONE)
        if process.returncode:
            raise LabFailed(why=f"the lesson's reader ended with code {process.returncode}: {queue.read_text()[-500:]}")


@contextmanager
def reader(queue: Path, plan: Plan) -> Iterator[Popen[bytes]]:
    """A reader while the block lasts; what it tells comes to the file."""
    process = launch(Program((sys.executable, "-P", "-m", MODULE, plan.as_json())), os.environ, queue)
    try:
        yield process
    finally:
        signal_group(process.pid, signal.SIGKILL)
        process.wait()


def wait(process: Popen[bytes], queue: Path, met: Callable[[], bool], what: str) -> None:
    """Wait for something that a reader does. Raises LabFailed when it ends instead."""

    def there() -> bool:
        if process.poll() is not None:
            raise LabFailed(why=f"the lesson's reader ended too early: {queue.read_text()[-500:]}")
        return met()

    until(there, what, DONE)


def told(queue: Path, what: str) -> list[int]:
    """The offsets of the messages of which a reader told that, in order."""
    lines = [json.loads(line) for line in queue.read_text().splitlines() if line.startswith("{")]
    return [line["offset"] for line in lines if line["what"] == what]


def _outcome(messages: int, committed: int | None, handed_on: list[int]) -> Outcome:
    counts = Counter(handed_on)
    lost = [offset for offset in range(messages) if not counts[offset]]
    return Outcome(messages, committed, lost, [offset for offset, count in counts.items() if count > 1])


def table(outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """By name."""
    import pandas as pd

    frame = pd.DataFrame([asdict(one) for one in outcomes.values()], index=list(outcomes))
    return frame.astype({"committed": "Int64"})
