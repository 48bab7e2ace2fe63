"""The lesson `01_upload`: what its exercises ask, and the little that its cells need."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlab.face import Lab
from vidlab.lessons.exercise import Exercise
from vidlab.lessons.sender import TITLE, Sender
from vidlab.lessons.two_ways import Outcome, Plan, by_blocks, by_counter, table, told_by, wait_until_back
from vidlab.naive.counter import NaiveUploads, sweep
from vidlab.paths import original_path
from vidlab.storage import Storage
from vidlab.store import Store

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "NaiveUploads",
    "Outcome",
    "Plan",
    "Sender",
    "by_blocks",
    "by_counter",
    "table",
    "told_by",
    "wait_until_back",
]

# -- what cells need


def sha256(path: Path) -> str:
    """Of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def blocks(lab: Lab, sender: Sender) -> pd.DataFrame:
    """What Azure's own interface tells of the blob while it comes in: block id, bytes, committed or not."""
    import pandas as pd

    storage = Storage(lab.settings)
    path = original_path(sender.video_hash, sender.file.path.suffix.lstrip("."))
    try:
        with storage.told(path):
            committed, staged = storage.container.get_blob_client(path).get_block_list("all")
    finally:
        storage.close()
    rows = [(block.id, block.size, True) for block in committed] + [(block.id, block.size, False) for block in staged]
    return pd.DataFrame(rows, columns=["block id", "bytes", "committed"])


def outbox(lab: Lab, sender: Sender) -> pd.DataFrame:
    """The messages about the video, as the database has them: when each was written, and when Kafka had it."""
    import pandas as pd

    store = Store(lab.settings)
    try:
        posted = store.snapshot({sender.video_hash}).outbox
    finally:
        store.close()
    rows = [(row.topic, row.created_at, row.sent_at, _seconds(row.created_at, row.sent_at)) for row in posted]
    return pd.DataFrame(rows, columns=["topic", "written at", "sent at", "seconds between"]).set_index("topic")


def _seconds(begin: datetime, end: datetime | None) -> float | None:
    return round((end - begin).total_seconds(), 1) if end else None


def tidy(lab: Lab) -> int:
    """Remove what this lesson left, also when a cell was interrupted: naive keys and blobs, uploads, videos.

    Gives how many there were of all.
    """
    mine = [video["video_hash"] for video in lab.client.videos() if video["title"].startswith(TITLE)]
    for video_hash in mine:
        lab.delete(video_hash)
    return sweep(lab.settings) + len(mine)


# -- is everything there

#: Chunks as they arrived, how many the file has, and what is wrong with a function that is wrong there.
ARRIVALS: tuple[tuple[tuple[int, ...], int, str], ...] = (
    ((0, 1, 2), 3, "all chunks are there, and it says no"),
    ((2, 0, 1), 3, "the chunks came in another order, and it says no"),
    ((0, 1), 3, "one is missing, and it says yes"),
    ((0, 1, 1, 2), 3, "a chunk came twice, and it says no"),
    ((0, 0, 2), 3, "a chunk came twice and another never, and it says yes"),
    ((), 1, "nothing came, and it says yes"),
)


def _judge_complete(answer: Callable[[Sequence[int], int], bool]) -> str | None:
    if not callable(answer):
        return "give the function itself, such as `complete`"
    for arrived, total, why in ARRIVALS:
        if bool(answer(list(arrived), total)) != (set(arrived) == set(range(total))):
            return f"with the chunks {list(arrived)} of {total}: {why}"
    return None


# -- how much is left

#: Missing ranges, bytes of a chunk, bytes of the file.
LEFT: tuple[tuple[list[list[int]], int, int], ...] = (
    ([[0, 1]], 10, 40),
    ([[1, 1], [3, 3]], 10, 40),
    ([[2, 3]], 10, 35),
    ([], 10, 35),
)


def bytes_left(missing: Sequence[Sequence[int]], chunk_bytes: int, size: int) -> int:
    """How many bytes are still to be sent; the last chunk may be shorter."""
    return sum(min((last + 1) * chunk_bytes, size) - first * chunk_bytes for first, last in missing)


def _judge_left(answer: Callable[[Sequence[Sequence[int]], int, int], int]) -> str | None:
    if not callable(answer):
        return "give the function itself, such as `left`"
    for missing, chunk_bytes, size in LEFT:
        right, given = bytes_left(missing, chunk_bytes, size), answer(missing, chunk_bytes, size)
        if given != right:
            case = f"missing {missing}, chunks of {chunk_bytes} bytes, {size} bytes in all"
            return f"{case}: {right} bytes are left, and it says {given}"
    return None


# -- what the keeper does with the outbox

Row = dict[str, Any]
Relay = Callable[[list[Row], Callable[[str], None]], object]

MESSAGES = ("a", "b", "c")


class _Kafka:
    """It takes so many messages, and is away for the next one; then it takes all."""

    def __init__(self, before: int) -> None:
        self.before = before
        self.taken: list[str] = []
        self.was_away = False

    def send(self, message: str) -> None:
        if len(self.taken) == self.before and not self.was_away:
            self.was_away = True
            raise ConnectionError("Kafka is away")
        self.taken.append(message)


def _judge_relay(answer: Relay) -> str | None:
    if not callable(answer):
        return "give the function itself, such as `relay`"
    return next(filter(None, (_wrong_when_away(answer, before) for before in range(len(MESSAGES) + 1))), None)


def _wrong_when_away(relay: Relay, before: int) -> str | None:
    """Relay until all is sent; Kafka goes away after so many messages."""
    kafka = _Kafka(before)
    rows: list[Row] = [{"message": message, "sent": False} for message in MESSAGES]
    case = f"Kafka takes {before} of {len(MESSAGES)} messages, then is away"
    for _ in MESSAGES:  # as often as the keeper would look; one look does after Kafka is back
        with suppress(ConnectionError):
            relay(rows, kafka.send)
        told = {row["message"] for row in rows if row["sent"]}
        if told - set(kafka.taken):
            return f"{case}: {sorted(told - set(kafka.taken))[0]!r} is marked as sent, and Kafka never got it"
    if len(kafka.taken) > len(set(kafka.taken)):
        return f"{case}: Kafka got {kafka.taken}, one of them again though it was there"
    if missing := sorted(set(MESSAGES) - set(kafka.taken)):
        return f"{case}, then is back: {missing[0]!r} was never sent"
    if kafka.taken != list(MESSAGES):
        return f"{case}: Kafka got {kafka.taken}, in another order than they were written"
    return None if told == set(MESSAGES) else f"{case}: all were sent, but not all are marked"


# -- what one command mends

FAILURES = ("repeated", "at once", "one missing", "damaged", "two finishers")
MENDED = {"at once"}


def _judge_mended(answer: Iterable[str]) -> str | None:
    given = {answer} if isinstance(answer, str) else set(answer)
    if unknown := given - set(FAILURES):
        return f"{sorted(unknown)[0]!r} is none of {', '.join(FAILURES)}"
    if still := sorted(given - MENDED):
        return f"{still[0]!r} still fails: run that plan with atomic=True, and read the row"
    return None if given == MENDED else "one of them is mended: run the plans with atomic=True, and compare"


# -- the exercises

is_complete = Exercise(
    "Write complete(arrived, total): are all chunks of a file there? `arrived` are the numbers in the order they came.",
    _judge_complete,
    right="It asks which chunks are there, not how many came.",
    hints=(
        "A chunk that comes twice is one chunk.",
        "Chunks are numbered from 0: which numbers must there be? A set of them can be compared.",
    ),
    solution="""
        def complete(arrived, total):
            return set(arrived) == set(range(total))
    """,
)

atomic_mends = Exercise(
    f"Which of these failures does the atomic counter mend: {', '.join(FAILURES)}? Answer with a set of texts.",
    _judge_mended,
    right="It loses no count any more. But it still counts what came, and not what is there.",
    hints=(
        "by_counter(lab, clip, plan, atomic=True) runs any plan again.",
        "What does adding one without reading first change, when the same chunk is added twice?",
    ),
    solution="""
        atomic = {name: lesson.by_counter(lab, clip, plan, atomic=True) for name, plan in plans.items()}
        display(lesson.table(atomic))
        answer = {"at once"}
    """,
)

how_much_is_left = Exercise(
    "Write left(missing, chunk_bytes, size): how many bytes does a client that goes on have to send?",
    _judge_left,
    right="That is what a client shows before it goes on. Above, chunk 0 went once more as well, to ask what is there.",
    hints=(
        "A range [first, last] has last - first + 1 chunks.",
        "The last chunk of the file ends where the file ends: min(..., size).",
    ),
    solution="""
        def left(missing, chunk_bytes, size):
            ends = [min((last + 1) * chunk_bytes, size) for first, last in missing]
            return sum(ends) - sum(first * chunk_bytes for first, last in missing)
    """,
)

outbox_relay = Exercise(
    "Write relay(outbox, send): send each row that is not sent yet, in order, and mark it. Kafka may be away.",
    _judge_relay,
    right="Who dies between sending and marking sends that message again. It may come twice, and it is never lost.",
    hints=(
        'Each row is a dict: row["message"] is what to send, row["sent"] becomes True.',
        "send(...) raises an error when Kafka is away. What must not have happened by then?",
        "Let the error stop the loop: rows that come later must not overtake this one.",
    ),
    solution="""
        def relay(outbox, send):
            for row in outbox:
                if not row["sent"]:
                    send(row["message"])
                    row["sent"] = True
    """,
)
