"""What the fault tests share."""

from __future__ import annotations

import pytest

from tests.acceptance.footage import footage
from tests.lab import RunningLab


@pytest.fixture
def long_clip(lab: RunningLab) -> str:
    """A video whose 720p takes some seconds."""
    return lab.send(footage("long", lab.clips))
