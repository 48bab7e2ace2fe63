"""The whole face of blob storage in one object."""

from __future__ import annotations

from vidlab.storage.chunks import Chunks
from vidlab.storage.reading import Reading


class Storage(Chunks, Reading):
    """One process's view of the container.

    Each method raises DependencyAway, within seconds, when the server does not answer: what was asked for may have
    happened all the same, and asking again is right.
    """
