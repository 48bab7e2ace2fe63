"""A question whose answer is checked by code: not attempted, not yet, or right."""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

GOOD, NOT_YET, DIM = "#1a7f37", "#9a6700", "#6e7781"  # legible on white and on black

#: Says why an answer is not right yet, in a sentence; None when it is.
Judge = Callable[[Any], str | None]

#: How to get help: it stands below each answer that is not right.
HELP = "For help write .hint() in place of .check(...), or .solution() to read an answer."
ANOTHER_HINT = "Run it again for another hint."
NO_HINT_LEFT = "There is no other hint; .solution() shows an answer."
OF_THE_SOLUTION = "this is the solution's answer, and not yours."


@dataclass(frozen=True)
class Told:
    """A sentence of an exercise; it draws itself."""

    #: "not attempted", "not yet", "right", "hint" or "solution".
    word: str
    text: str = ""
    #: What to do next.
    then: str = ""

    def __repr__(self) -> str:
        said = f"{self.word}: {self.text}" if self.text else self.word
        return f"{said}\n{self.then}" if self.then else said

    def _repr_html_(self) -> str:
        colour = {"right": GOOD, "not yet": NOT_YET}.get(self.word, DIM)
        text = f": {html.escape(self.text)}" if self.text else ""
        if self.word == "solution":
            text = f"<pre>{html.escape(self.text)}</pre>"
        then = f'<div style="color:{DIM}">{html.escape(self.then)}</div>' if self.then else ""
        return f'<div><b style="color:{colour}">{self.word}</b>{text}{then}</div>'


class Exercise:
    """One exercise of a lesson. An answer of `...` counts as not attempted."""

    def __init__(self, question: str, judge: Judge, *, right: str, hints: tuple[str, ...], solution: str) -> None:
        """`right`: what is said of a right answer; `solution`: what a learner could have typed."""
        self.question = question
        self.judge = judge
        self.right = right
        self.hints = hints
        self._solution = inspect.cleandoc(solution)
        self._given = 0  # hints

    def __repr__(self) -> str:
        return self.question

    def _repr_html_(self) -> str:
        return f"<div>{html.escape(self.question)}</div>"

    def check(self, answer: Any = ..., *, solution: bool = False) -> Told:
        """Is it right? An answer that breaks the judge is not right yet: what broke is told.

        `solution`: it is not the learner's own, and that is said.
        """
        if answer is ...:
            return Told("not attempted", self.question, HELP)
        try:
            why = self.judge(answer)
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            why = f"that could not be used as an answer ({type(error).__name__}: {error})"
        if why:
            return Told("not yet", why, HELP)
        return Told("right", f"{OF_THE_SOLUTION} {self.right}" if solution else self.right)

    def hint(self) -> Told:
        """The next hint; the last one stays."""
        hint = self.hints[min(self._given, len(self.hints) - 1)]
        self._given += 1
        return Told("hint", hint, ANOTHER_HINT if self._given < len(self.hints) else NO_HINT_LEFT)

    def solution(self) -> Told:
        """What could have been typed."""
        return Told("solution", self._solution)


def is_number(right: float, within: float, why: str) -> Judge:
    """A judge of a number; `within`: how far it may be off, as a share of the right one or of 1."""

    def judge(answer: Any) -> str | None:
        off = abs(float(answer) - right)
        return None if off <= within * max(1.0, abs(right)) else why

    return judge


def is_one_of(right: str, choices: tuple[str, ...], why: str) -> Judge:
    """A judge of a choice."""

    def judge(answer: Any) -> str | None:
        if answer not in choices:
            return f"choose one of {', '.join(map(repr, choices))}"
        return None if answer == right else why

    return judge
