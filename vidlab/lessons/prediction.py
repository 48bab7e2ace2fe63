"""What a learner expects, kept in the lab's folder, and drawn beside what was measured."""

from __future__ import annotations

import html
import json
from pathlib import Path
from types import EllipsisType

from vidlab.lab.folder import write_private
from vidlab.settings import Settings

FILE = "predictions.json"
WIDTH = 320  # pixels of the longer bar
MINE, MEASURED = "#8250df", "#0a7ea4"  # legible on white and on black
TRACK = "display:flex;align-items:center;gap:8px;margin:2px 0"


class Prediction:
    """A number that somebody expects, or nothing yet."""

    def __init__(self, name: str, value: float | None, unit: str) -> None:
        self.name = name
        self.value = value
        self.unit = unit

    def __repr__(self) -> str:
        if self.value is None:
            return f"{self.name}: not predicted yet; put a number in place of ..."
        return f"{self.name}: you expect {_number(self.value)} {self.unit}"

    def _repr_html_(self) -> str:
        return f"<div>{html.escape(repr(self))}</div>"

    def beside(self, measured: float) -> Comparison:
        """Both on one axis."""
        return Comparison(self, measured)


class Comparison:
    """A prediction and a measurement."""

    def __init__(self, prediction: Prediction, measured: float) -> None:
        self.prediction = prediction
        self.measured = measured

    def __repr__(self) -> str:
        return (
            f"{self.prediction!r}; measured: {_number(self.measured)} {self.prediction.unit}. {self._words()}".strip()
        )

    def _words(self) -> str:
        expected = self.prediction.value
        if expected is None:
            return ""
        if expected == self.measured:
            return "As you expected."
        if not expected or not self.measured:  # no ratio says how far off that is
            off = self.measured - expected
            return f"That is {_number(abs(off))} {'more' if off > 0 else 'less'} than you expected."
        ratio = self.measured / expected
        if 1 / 1.1 <= ratio <= 1.1:
            return "That is within a tenth of what you expected."
        return f"That is {ratio:.1f} times what you expected."

    def _repr_html_(self) -> str:
        rows = [("measured", self.measured, MEASURED)]
        if self.prediction.value is not None:
            rows.insert(0, ("you expected", self.prediction.value, MINE))
        longest = max(abs(value) for _, value, _ in rows) or 1.0
        drawn = "".join(self._bar(name, value, colour, longest) for name, value, colour in rows)
        words = self._words() or repr(self.prediction)
        return f"<div><b>{html.escape(self.prediction.name)}</b>{drawn}<div>{html.escape(words)}</div></div>"

    def _bar(self, name: str, value: float, colour: str, longest: float) -> str:
        width = max(2, round(WIDTH * abs(value) / longest))
        label = f'<span style="width:7em;text-align:right">{name}</span>'
        bar = f'<span style="width:{width}px;height:.8em;border-radius:.2em;background:{colour}"></span>'
        unit = html.escape(self.prediction.unit)
        return f'<div style="{TRACK}">{label}{bar}<span>{_number(value)} {unit}</span></div>'


def predict(
    name: str, value: float | EllipsisType | None = None, unit: str = "", state: Path | None = None
) -> Prediction:
    """Keep what is expected under that name, and give it; with `...` or nothing give what was kept, if anything was.

    `state`: the lab's folder; else that of the lab that is meant here.
    """
    file = (state or Settings().state) / FILE
    kept = _read(file)
    if not isinstance(value, EllipsisType | None):
        kept[name] = float(value)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, json.dumps(kept, indent=1))
    return Prediction(name, kept.get(name), unit)


def _read(file: Path) -> dict[str, float]:
    try:
        return {str(name): float(value) for name, value in json.loads(file.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError):  # not there, or not as we wrote it: nothing was kept
        return {}


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.1f}"
