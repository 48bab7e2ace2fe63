"""What is shown while a cell waits: one display that changes in a notebook, a line per change elsewhere."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from vidlab.views.video import lines
from vidlab.views.video_html import bars, counting_bar, sending_bar

#: Called with the bytes that are there, and with all.
OnBytes = Callable[[int, int], None]
VideoJson = dict[str, Any]


class Shown:
    """Something that draws itself: HTML in a notebook, text elsewhere."""

    def __init__(self, markup: str, text: str) -> None:
        self.markup = markup
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.markup


def in_notebook() -> bool:
    """Does a kernel run this, whose displays can change?"""
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")


class Board:
    """A place in the output whose content is replaced; where nothing can be, each new text is a line."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._told = ""

    def show(self, markup: str, text: str = "") -> None:
        """Replace what is there. Without `text` nothing is printed where there is no notebook."""
        if not in_notebook():
            self._print(text)
            return
        from IPython.display import display

        shown = Shown(markup, text)
        if self._handle is None:
            self._handle = display(shown, display_id=True)  # type: ignore[no-untyped-call]
        elif markup != self._told:
            self._handle.update(shown)
        self._told = markup

    def _print(self, text: str) -> None:
        if text and text != self._told:
            sys.stdout.write(f"{text}\n")
            self._told = text


@contextmanager
def sending(name: str) -> Iterator[OnBytes]:
    """A bar for an upload."""
    board = Board()
    yield lambda done, total: board.show(sending_bar(name, done, total), f"{name}: sent" if done == total else "")


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar for things of which some are there."""
    board = Board()
    yield lambda done: board.show(counting_bar(what, done, total), f"{done} of {total} {what}" if done == total else "")


@contextmanager
def doing(what: str) -> Iterator[None]:
    """A line while something is done whose end nobody knows; where it was interrupted or failed, it says so."""
    board = Board()
    board.show(f"<div>{html.escape(what)} ...</div>")
    ended = "not finished"
    try:
        yield
        ended = "done"
    finally:
        board.show(f"<div>{html.escape(what)}: {ended}</div>")


@contextmanager
def watching(count: int) -> Iterator[Callable[[VideoJson], None]]:
    """The bars of some videos' stages, as long as the block lasts; of more than three a line each."""
    board, known = Board(), dict[str, VideoJson]()
    board.show(f"<div>{waiting(count)} ...</div>")  # the first answer may be long in coming

    def show(video: VideoJson) -> None:
        before = known.get(video["video_hash"])
        known[video["video_hash"]] = video
        now = datetime.now(UTC)
        text = "\n".join(lines(before, video, now))
        board.show(bars(list(known.values()), count, now), text)

    yield show


def waiting(count: int) -> str:
    """What is waited for."""
    return "waiting for a video" if count == 1 else f"waiting for {count} videos"


@contextmanager
def arriving() -> Iterator[Callable[[Any], None]]:
    """The lab's start: who is ready, and who is awaited."""
    board, ready, awaited = Board(), list[str](), list[str]()

    def tell(event: Any) -> None:
        if event.kind == "started" and event.process not in awaited:
            awaited.append(event.process)
        if event.kind in ("ready", "done") and event.process in awaited:
            awaited.remove(event.process)
            ready.append(event.process)
        rest = f"; waiting for {', '.join(awaited[:3])}" if awaited and event.kind != "up" else ""
        text = f"Starting the lab: {len(ready)} processes are ready{rest}"
        board.show(f"<div>{html.escape(text)}</div>", text if event.kind == "up" else "")

    yield tell
