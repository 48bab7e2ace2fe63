"""What all widgets have in common: the lab's addresses, a bundle of JavaScript, and a picture where none can run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets

from vidlab.bundles import BUNDLES, read_bundle

if TYPE_CHECKING:
    from vidlab.face import Lab

__all__ = ["BUNDLES", "LabWidget"]


class LabWidget(anywidget.AnyWidget):
    """A widget of one lab. Its module `static/{bundle}.js` draws it in the browser. Raises PartMissing without it."""

    bundle: ClassVar[str] = ""

    #: `api`, `control`, and the secrets that both want: as `lab.addresses` has them.
    addresses = traitlets.Dict().tag(sync=True)

    def __init__(self, lab: Lab | None = None, **traits: Any) -> None:
        """`lab`: the running one, unless another is given."""
        self._esm = read_bundle(f"{self.bundle}.js")
        self._css = read_bundle(f"{self.bundle}.css")
        self.lab = lab or _running()
        super().__init__(addresses=dict(self.lab.addresses), **traits)

    def picture(self) -> str:
        """The HTML that stands where widgets cannot run: on a page that was exported, or in a mail."""
        return ""

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        made = super()._repr_mimebundle_(**options)
        if made is None:
            return None
        shown, about = made
        return {**shown, "text/html": self.picture()}, about


def _running() -> Lab:
    from vidlab.face import connect

    return connect()
