"""`Verdict`: what the checker found, with the smallest anomaly of each kind and the events that lead to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import traitlets

from vidlab.errors import UnknownVideo, VidLabError
from vidlab.lab import verdict as judged
from vidlab.views.trail import Trail, trail
from vidlab.views.trail_html import trail_table
from vidlab.views.verdict import headline, html
from vidlab.widgets.base import LabWidget

if TYPE_CHECKING:
    from vidlab.face import Lab


class Verdict(LabWidget):
    """A verdict, and a button that has the kernel judge again."""

    bundle = "verdict"

    #: What is shown; empty before the first verdict.
    told = traitlets.Dict().tag(sync=True)
    #: Why there is none, or no newer one.
    problem = traitlets.Unicode().tag(sync=True)
    judging = traitlets.Bool(False).tag(sync=True)
    #: The browser puts a word of its own there, and the kernel, if there is one, says it again in `answer`.
    call = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Unicode().tag(sync=True)
    #: How often the button was pressed.
    wanted = traitlets.Int(0).tag(sync=True)

    def __init__(self, lab: Lab | None = None, *, verdict: judged.Verdict | None = None, **traits: Any) -> None:
        """`verdict`: from `lab.check()`; without one the lab is judged now."""
        super().__init__(lab, **traits)
        #: What was judged last.
        self.verdict: judged.Verdict | None = None
        self._trails: dict[str, Trail] = {}
        self._take(self.lab.check() if verdict is None else verdict)

    def judge(self) -> judged.Verdict:
        """Judge the lab again, and show it."""
        self.judging = True
        try:
            return self._take(self.lab.check())
        finally:
            self.judging = False

    def _take(self, verdict: judged.Verdict) -> judged.Verdict:
        self._trails = {one.kind: self._trail(one) for one in smallest(verdict)}
        self.verdict, self.problem = verdict, ""
        self.told = {
            **verdict.as_json(),
            "well": verdict.well,
            "headline": headline(verdict),
            "legal": dict(verdict.legal),
            "anomalies": len(verdict.anomalies),
            "examples": [one.as_json() | {"trail": self._trails[one.kind].as_json()} for one in smallest(verdict)],
        }
        return verdict

    def _trail(self, anomaly: judged.Anomaly) -> Trail:
        if anomaly.video_hash is None:
            return Trail()
        try:
            events = self.lab.client.events(anomaly.video_hash)
        except UnknownVideo:  # nothing is known of it any more: that it is gone may be what is wrong
            return Trail()
        return trail(events, anomaly.events, anomaly.stage)

    @traitlets.observe("call")
    def _say_that_there_is_a_kernel(self, change: Any) -> None:
        self.answer = change.new

    @traitlets.observe("wanted")
    def _judge_when_asked(self, _change: Any) -> None:
        try:
            self.judge()
        except VidLabError as error:
            self.problem = str(error)

    def picture(self) -> str:
        """The verdict, and the trail of each example."""
        return "".join(self._parts())

    def _parts(self) -> Iterator[str]:
        if self.verdict is None:
            return
        yield html(self.verdict)
        for kind, found in self._trails.items():
            if found.steps:
                yield f"<p>The events around what is {kind}:</p>{trail_table(found)}"


def smallest(verdict: judged.Verdict) -> list[judged.Anomaly]:
    """Of each kind that was found the first: anomalies are in the order of their size."""
    return [found[0] for kind in judged.Kind if (found := verdict.of(kind))]
