"""`vidlab setup doctor`: what VidLab needs on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from vidlab.commands.common import Json, State, out


def setup(
    force: Annotated[bool, typer.Option("--force", help="Fetch again what is there already.")] = False,
) -> None:
    """Fetch the servers that no Python package carries; nothing is done when they are there."""
    from vidlab.lab.install import setup as bring
    from vidlab.settings import Settings

    bring(Settings(), out, force=force)


def doctor(as_json: Json = False, state: State = None) -> None:
    """Show each part: its version, where it is, whether it runs, and what to type when something is wrong."""
    from vidlab.lab.doctor import as_json as facts
    from vidlab.lab.doctor import diagnose, table

    del facts, diagnose, table, as_json, state, the_lab, print_json


COMMANDS = (setup, doctor)
