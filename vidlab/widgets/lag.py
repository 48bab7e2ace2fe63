"""`Lag`: how far each consumer group is behind, in messages and in seconds, with what was done to the lab meanwhile."""

from __future__ import annotations

import traitlets

from vidlab.views.lag_html import lag_table
from vidlab.widgets.base import LabWidget

SHORTEST, LONGEST = 0.2, 60.0  # minutes


class Lag(LabWidget):
    """A chart of the last minutes, from when it is drawn: the lab itself remembers no lag."""

    bundle = "lag"

    #: How far back the chart goes.
    minutes = traitlets.Float(5.0, min=SHORTEST, max=LONGEST).tag(sync=True)

    def picture(self) -> str:
        """Each group's lag as it is now."""
        return lag_table(self.client.live()["lag"])
