"""The widgets: what is live in them goes from the browser straight to the lab, and not through the kernel."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidlab.widgets.dashboard import Dashboard as Dashboard
    from vidlab.widgets.lag import Lag as Lag
    from vidlab.widgets.player import Player as Player
    from vidlab.widgets.timeline import Timeline as Timeline
    from vidlab.widgets.upload import Upload as Upload
    from vidlab.widgets.verdict import Verdict as Verdict

#: Each in the module of its name.
__all__ = ["Dashboard", "Lag", "Player", "Timeline", "Upload", "Verdict"]


def __getattr__(name: str) -> Any:
    """Each is brought when it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{name.lower()}"), name)
