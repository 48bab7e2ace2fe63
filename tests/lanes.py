"""Who takes which tests when several processes run them (pytest-xdist): one has the lab, the others have the rest."""

from __future__ import annotations

import pytest

from vidlab.settings import Settings

WITH_LAB = "lab"  # all that use the one lab run in one process, one after another
LOCAL = "local_only"  # a mark: it needs what only a lab of this machine's processes has
CONTAINED = "compose_only"  # a mark: it is about containers


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep each module together: its tests share what is dear to make. Xdist reads the groups, others ignore them."""
    _leave_out(LOCAL if Settings().lab == "compose" else CONTAINED, config, items)
    with_lab = {item.path for item in items if "lab" in getattr(item, "fixturenames", ())}
    for item in items:
        group = WITH_LAB if item.path in with_lab else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))


def _leave_out(mark: str, config: pytest.Config, items: list[pytest.Item]) -> None:
    others = [item for item in items if item.get_closest_marker(mark)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Xdist tells groups by the ends of names. Where it does not, each process would start a lab, and nobody notice."""
    apart = [item.nodeid for item in session.items if not item.nodeid.endswith(f"@{group_of(item)}")]
    if apart and getattr(session.config.option, "loadgroup", False):
        raise pytest.UsageError(f"pytest-xdist does not keep groups together: {apart[0]} has lost its group.")


def group_of(item: pytest.Item) -> str:
    """The group that it was given."""
    return str(next(item.iter_markers("xdist_group")).args[0])
