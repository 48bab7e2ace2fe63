"""Where the widgets' JavaScript lies: bundled by the set-up from `services/widgets`, and carried by the wheel."""

from __future__ import annotations

from pathlib import Path

from vidlab.errors import PartMissing

BUNDLES = Path(__file__).parent / "widgets" / "static"
WHOLE = BUNDLES / "bundles.json"  # written last: names those that are there
COMMAND = "make setup"


def read_bundle(name: str) -> str:
    """A bundle's text. Raises PartMissing."""
    path = BUNDLES / name
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PartMissing(part="the widgets' JavaScript", why=f"{path} is not there", command=COMMAND) from error
