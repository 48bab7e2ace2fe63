"""One process of the lab: what is wanted of it, what it is now, and what became of it last time."""

from __future__ import annotations

import contextlib
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from vidlab.lab import logs
from vidlab.lab.launch import Child, signal_group, signal_one
from vidlab.lab.spec import Kind
from vidlab.lab.status import ProcessStatus, State

WELL = 10.0  # seconds; who ran that long since it was ready did not exit "at once"
FIRST_PAUSE = 0.5  # seconds before the second try; doubled each time
LONGEST_PAUSE = 30.0  # seconds
SETTLED = 1.0  # seconds after which what the system tells of a pause counts, not what was asked
REMEMBERED = 300.0  # seconds for which the note tells what happened last


@dataclass(frozen=True)
class Ending:
    """How a process ended: an event's word, and a line about it."""

    kind: str
    text: str


class Process:
    """One slot of the lab, which is filled again when what was in it exits."""

    def __init__(self, kind: Kind, name: str, log: Path, *, outside: bool = False) -> None:
        self.kind = kind
        self.name = name
        self.log = log
        self.outside = outside
        self.wanted = True
        self.child: Child | None = None
        #: What its ready condition reached; None as long as it is not met.
        self.ready: str | None = None
        #: Its condition was met once, by this process or one before it.
        self.was_ready = False
        self.done = False
        self.failed = ""
        self.paused = False
        self._asked = 0.0  # when it was asked to pause or to go on, until it is seen to do so
        self.stopping = False
        self.kill_at: float | None = None
        self.killed_by_user = False
        #: Kinds that must be ready before it is started.
        self.waits_for: list[str] = []
        self.restarts = -1
        self.failures = 0
        self.next_try = 0.0
        self.first_began: float | None = None
        self.began = 0.0
        self.since = 0.0
        #: Where the log of the present, or last, process begins.
        self.log_start = 0
        self._last: tuple[str, float] = ("", 0.0)

    # -- what it is

    @property
    def number(self) -> int:
        """Its place among those of its kind; singletons are 0."""
        return int(self.name.rpartition(".")[2]) if self.kind.scalable else 0

    @property
    def alive(self) -> bool:
        return self.child is not None

    @property
    def pid(self) -> int | None:
        return self.child.pid if self.child else None

    @property
    def state(self) -> State:
        if self.killed_by_user:  # its end is certain, though it was not seen yet
            return State.WAITING
        if self.alive and self.paused:
            return State.PAUSED
        if self.alive or self.outside:
            return State.STARTING if self.ready is None else State.RUNNING
        if self.failed:
            return State.FAILED
        if self.done:
            return State.DONE
        return State.WAITING if self.wanted else State.STOPPED

    @property
    def may_start(self) -> bool:
        """Is it wanted, not there, and its pause over?"""
        idle = not (self.alive or self.outside or self.done or self.failed)
        return self.wanted and idle and time.monotonic() >= self.next_try

    def status(self) -> ProcessStatus:
        return ProcessStatus(
            name=self.name,
            kind=self.kind.name,
            pid=None if self.killed_by_user else self.pid,
            state=self.state.value,
            restarts=max(self.restarts, 0),
            since=self.since if self.alive else None,
            uptime=time.monotonic() - self.began if self.alive else None,
            stopping=self.stopping,
            outside=self.outside,
            note=self._note(),
        )

    def _note(self) -> str:
        text, when = self._last
        if self.outside:
            return "runs outside of the lab"
        if self.failed:
            return self.failed
        if self.state is State.WAITING and self.waits_for:
            return f"waits for {', '.join(self.waits_for)}"
        if self.state is State.WAITING:
            left = self.next_try - time.monotonic()
            return f"{text}; next try in {left:.0f} s" if left > 0 else text
        if self.stopping:
            return "stops when its task is done" if self.kind.patient else "is asked to stop"
        ago = time.monotonic() - when
        return f"{text} {ago:.0f} s ago" if text and self.alive and ago < REMEMBERED else ""

    def say(self, text: str) -> None:
        """Note what happened to it."""
        self._last = (text, time.monotonic())

    # -- what is done to it

    def begin(self) -> None:
        """It is about to be started: what stands in its log after this is its own."""
        self.log_start = logs.tail(self.log, 0).offset

    def own_log(self) -> str:
        """What the present, or last, process of this slot wrote, in words for people; nothing of earlier labs."""
        text = logs.since(self.log, self.log_start).text if self.first_began else ""
        return "\n".join(map(logs.plain, text.splitlines()))

    def fill(self, child: Child) -> None:
        """It was started."""
        self.child = child
        self.ready = None
        self.began, self.since = time.monotonic(), time.time()
        self.first_began = self.first_began or self.began
        self.restarts += 1

    def meet(self, text: str) -> None:
        """Its ready condition is met."""
        self.ready, self.was_ready = text, True

    def pause(self) -> None:
        self._signal_group(signal.SIGSTOP)
        self._note_paused(True)

    def resume(self) -> None:
        self._signal_group(signal.SIGCONT)
        self._note_paused(False)

    def _note_paused(self, paused: bool) -> None:
        self.paused, self._asked = paused, time.monotonic()

    def see_whether_paused(self) -> None:
        """It may have been stopped, or let go on, by somebody else. A signal of ours takes a moment to be seen."""
        if self.pid is None:
            return
        with contextlib.suppress(psutil.Error):
            seen = psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
            if seen == self.paused:
                self._asked = 0.0
            elif time.monotonic() - self._asked > SETTLED:
                self.paused = seen

    def kill(self) -> None:
        """End it and all that it started, now."""
        self.killed_by_user = True
        self._signal_group(signal.SIGKILL)

    def drain(self) -> None:
        """Ask it to finish what it has in hand, and exit. Only a worker may take as long as it likes."""
        if self.child and not self.stopping:
            self._stop_within(None if self.kind.patient else self.kind.grace)
            signal_one(self.child.pid, signal.SIGTERM)
            self.resume()

    def hand_back(self) -> None:
        """Ask it, and all that it started, to exit at once; in a while they are made to."""
        if self.kill_at is None:
            self._stop_within(self.kind.grace)
            self._signal_group(signal.SIGTERM)
            self.resume()

    def restart(self) -> None:
        """Let it finish what it has in hand; then it is started again."""
        if not self.alive:
            self.try_now()
        elif self.kind.server:
            self.hand_back()
        else:
            self.drain()

    def try_now(self) -> None:
        """Forget its failures, and start it at the next opportunity."""
        self.done, self.failed, self.failures, self.next_try = False, "", 0, 0.0

    def _stop_within(self, seconds: float | None) -> None:
        self.stopping = True
        self.kill_at = None if seconds is None else time.monotonic() + seconds

    def kill_when_late(self) -> None:
        """End it when it was asked to exit and did not in time."""
        if self.kill_at is not None and time.monotonic() > self.kill_at:
            self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: signal.Signals) -> None:
        if self.child:
            signal_group(self.child.pid, number)

    # -- how it ends

    def collect(self) -> Ending | None:
        """When it exited, empty the slot and tell how it ended. What it started goes with it."""
        if self.child is None or (code := self.child.poll()) is None:
            return None
        self._signal_group(signal.SIGKILL)
        ending = self._ending(code)
        self.child, self.ready = None, None
        self.paused = self.stopping = self.killed_by_user = False
        self.kill_at = None
        self.say(ending.text)
        return ending

    def _ending(self, code: int) -> Ending:
        if self.killed_by_user:
            self.next_try = 0.0
            return Ending("exited", "killed by you")
        if self.stopping:
            return Ending("stopped", "")
        if self.kind.once and code == 0:
            self.done = self.was_ready = True
            return Ending("done", "exited with code 0")
        return Ending("exited", self._crash(code))

    def _crash(self, code: int) -> str:
        seconds = time.monotonic() - self.began
        well = self.ready is not None and seconds >= WELL
        self.failures = 0 if well else self.failures + 1
        pause = FIRST_PAUSE * 2 ** (self.failures - 1) if self.failures else 0.0
        self.next_try = time.monotonic() + min(pause, LONGEST_PAUSE)
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"exits with code {code}"
        when = "at once" if seconds < 2 else f"after {seconds:.0f} s"
        line = logs.last_line(self.log, self.log_start)
        return f'{how} {when}: "{line}"' if line else f"{how} {when}"
