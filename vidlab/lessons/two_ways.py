"""The same chunks, sent two ways: to the naive counter, and to VidLab's API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlab.errors import VidLabError
from vidlab.face import Lab
from vidlab.lessons.sender import TITLE, Sender, damaged_piece
from vidlab.naive.counter import NaiveUploads
from vidlab.outgoing import Outgoing
from vidlab.paths import original_path
from vidlab.storage import Storage

if TYPE_CHECKING:
    import pandas as pd

TOGETHER = 24  # requests at once, at most
BACK = 60.0  # seconds in which a server must be back


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which chunks are sent, and how."""

    #: Chunk numbers, as they come.
    order: Sequence[int]
    #: How many chunks the file has.
    of: int
    #: All in the same moment, instead of one after the other.
    at_once: bool = False
    #: Chunks of which a bit changes on the way.
    damaged: frozenset[int] | set[int] = frozenset()
    #: Who call finalize, all in the same moment.
    finishers: int = 1


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a plan."""

    way: str
    #: Chunks that were sent, those that were refused among them.
    sent: int
    #: How many chunks the server believed to have.
    counted: int
    of: int
    #: What finalize said.
    told: str
    #: Is the file that was made the one that was sent? None: none was made.
    right_file: bool | None
    #: How often the pipeline was told to begin.
    messages: int
    #: Bytes that went to the blob store or came from there, as a multiple of the file's.
    moved: float

    def _repr_html_(self) -> str:
        return str(table({"": self}).to_html(index=False))


def by_counter(lab: Lab, path: Path, plan: Plan, *, atomic: bool = False) -> Outcome:
    """Send them to the naive counter, finalize, and clean up."""
    pieces = _pieces(path, plan)
    with NaiveUploads(lab.settings, atomic=atomic) as naive:
        calls = [partial(naive.receive, TITLE, plan.of, number, piece) for number, piece in pieces]
        upload = _all(calls, plan.at_once)[0]
        counted = naive.counted(upload)
        ends = _all([partial(told_by, partial(naive.finalize, upload))] * plan.finishers, True)
        return Outcome(
            way="atomic counter" if atomic else "counter",
            sent=len(pieces),
            counted=counted,
            of=plan.of,
            told=_words(ends),
            right_file=_same([end for end in ends if isinstance(end, bytes)], path),
            messages=naive.messages(),
            moved=_multiple(naive.moved, path),
        )


def by_blocks(lab: Lab, path: Path, plan: Plan) -> Outcome:
    """Send them to VidLab's API, finalize, look at the file that was made, and delete the video."""
    with Sender(lab, path, plan.of) as ours:
        try:
            calls = [
                partial(told_by, partial(ours.send, number, damaged=number in plan.damaged)) for number in plan.order
            ]
            answers = _all(calls, plan.at_once)
            taken = [number for number, answer in zip(plan.order, answers, strict=True) if isinstance(answer, dict)]
            counted = int(ours.progress()["received_chunks"])
            ends = _all([partial(told_by, ours.finalize)] * plan.finishers, True)
            made = [_original(lab, ours)] if any(isinstance(end, dict) for end in ends) else []
            events = lab.events(ours.video_hash)
            return Outcome(
                way="blocks",
                sent=len(calls),
                counted=counted,
                of=plan.of,
                told=_words(ends),
                right_file=_same(made, path),
                messages=int((events.kind == "finalized").sum()),
                # Each chunk that was taken is staged once; finalize sends a list of blocks, and no byte of the file.
                moved=_multiple(sum(map(ours.file.length, taken)), path),
            )
        finally:
            if ours.video_hash:
                lab.delete(ours.video_hash)


def table(outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """What became of each plan, by its name."""
    import pandas as pd

    frame = pd.DataFrame([{"plan": name, **asdict(one)} for name, one in outcomes.items()]).set_index("plan")
    return frame.astype({"right_file": object})


def wait_until_back(lab: Lab, server: str) -> None:
    """Wait until a server that was away answers again. Raises LabFailed after a minute."""
    lab.runner.wait(server, seconds=BACK)


def told_by(call: Callable[[], Any]) -> Any:
    """What a call gives, or the error that it was refused with."""
    try:
        return call()
    except VidLabError as error:
        return error


def _pieces(path: Path, plan: Plan) -> list[tuple[int, bytes]]:
    file = Outgoing(path, -(-path.stat().st_size // plan.of), "", fresh=True)
    pieces = [(number, file.form(number)[1]) for number in plan.order]
    return [(number, damaged_piece(piece) if number in plan.damaged else piece) for number, piece in pieces]


def _all(calls: Sequence[Callable[[], Any]], at_once: bool) -> list[Any]:
    """What each gives; at once, or one after the other."""
    if not at_once:
        return [call() for call in calls]
    with ThreadPoolExecutor(min(TOGETHER, len(calls))) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def _multiple(moved: int, path: Path) -> float:
    return round(moved / path.stat().st_size, 1)


def _words(ends: Sequence[Any]) -> str:
    refused = [str(end) for end in ends if isinstance(end, VidLabError)]
    taken = len(ends) - len(refused)
    return "; ".join([f"yes, {taken} times"] * (taken > 1) + ["yes"] * (taken == 1) + refused)


def _same(made: Sequence[bytes], path: Path) -> bool | None:
    return all(one == path.read_bytes() for one in made) if made else None


def _original(lab: Lab, ours: Sender) -> bytes:
    storage = Storage(lab.settings)
    try:
        return b"".join(storage.open(original_path(ours.video_hash, ours.file.path.suffix.lstrip("."))))
    finally:
        storage.close()
