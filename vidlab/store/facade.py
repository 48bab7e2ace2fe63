"""The whole face of the database in one object."""

from __future__ import annotations

from vidlab.store.snapshot import Snapshots
from vidlab.store.videos import Videos
from vidlab.store.watch import Watch


class Store(Videos, Watch, Snapshots):
    """One process's view of the database. Every method is one transaction, or a few that may be cut apart.

    Each raises DependencyAway when the database does not answer.
    """

    def ping(self) -> None:
        self.database.ping()

    def close(self) -> None:
        self.database.close()
        if self.announcer:
            self.announcer.close()
