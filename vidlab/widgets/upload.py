"""`Upload`: choose files in the browser, and send them from there straight to the upload API."""

from __future__ import annotations

import html

import traitlets

from vidlab.outgoing import CHUNK
from vidlab.widgets.base import LabWidget


class Upload(LabWidget):
    """Sends files in chunks, and sample clips. What was sent is told here once the kernel has time for it."""

    bundle = "upload"

    #: Of each but the last.
    chunk_bytes = traitlets.Int(CHUNK, min=1).tag(sync=True)
    #: The hash of the video that was sent last; "" before.
    video_hash = traitlets.Unicode().tag(sync=True)
    #: Of all that were sent here, in their order.
    sent = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def picture(self) -> str:
        """How to send a file without a widget."""
        url = html.escape(self.addresses["api"])
        return f"<p>Uploads go to {url}. Without widgets: <code>lab.upload(FILE)</code> sends one.</p>"
