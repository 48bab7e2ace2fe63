"""What all widgets have in common: the lab's addresses, a bundle of JavaScript, and a picture where none can run."""

from __future__ import annotations

import html
import logging
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets

from vidlab.bundles import BUNDLES, read_bundle
from vidlab.errors import VidLabError

if TYPE_CHECKING:
    from vidlab.client import Client
    from vidlab.face import Lab

log = logging.getLogger(__name__)

SOON = 3.0  # seconds: the API itself waits 2 for a server that is away

__all__ = ["BUNDLES", "LabWidget"]


class LabWidget(anywidget.AnyWidget):
    """A widget of one lab. Its module `static/{bundle}.js` draws it in the browser. Raises PartMissing without it."""

    bundle: ClassVar[str] = ""

    #: `api`, `control`, and the secrets that both want: as `lab.addresses` has them. A notebook that is saved with the
    #: state of its widgets holds them.
    addresses = traitlets.Dict().tag(sync=True)

    def __init__(self, lab: Lab | None = None, **traits: Any) -> None:
        """`lab`: the running one, unless another is given."""
        self._esm = read_bundle(f"{self.bundle}.js")
        self._css = read_bundle(f"{self.bundle}.css")
        self.lab = lab or _running()
        super().__init__(addresses=dict(self.lab.addresses), **traits)
        self.lab.shown.add(self)

    def picture(self) -> str:
        """The HTML that stands where widgets cannot run: on a page that was exported, or in a mail.

        The widget is not shown before this returns, so it asks `client`, or nobody.
        """
        return ""

    @property
    def client(self) -> Client:
        """The API, which has SOON seconds to answer all that a picture asks."""
        return self.lab.client.within(SOON)

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        made = super()._repr_mimebundle_(**options)
        if made is None:
            return None
        shown, about = made
        return {**shown, "text/html": self._picture()}, about

    def _picture(self) -> str:
        """The picture, or why there is none: the widget itself is shown in any case."""
        try:
            return self.picture()
        except VidLabError as error:
            return f"<p>{html.escape(f'{error} {error.advice}')}</p>"
        except Exception:
            log.exception("the picture of %s cannot be drawn", type(self).__name__)
            return "<p>There is no picture of this widget; the kernel's log says why.</p>"


def _running() -> Lab:
    from vidlab.face import connect

    return connect()
