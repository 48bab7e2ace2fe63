"""`vidlab setup doctor`: what VidLab needs on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from vidlab.commands.common import Json, State, out, print_json, the_lab


def setup(
    force: Annotated[bool, typer.Option("--force", help="Fetch again what is there already.")] = False,
) -> None:
    """Fetch the servers that no Python package carries; those that are there stay."""
    from vidlab.lab import install
    from vidlab.settings import Settings

    install.setup(Settings(), out, force=force)


def doctor(as_json: Json = False, state: State = None) -> None:
    """Show each part: its version, where it is, whether it runs, and what to type when something is wrong."""
    from vidlab.lab import doctor as examination
    from vidlab.settings import Settings

    parts = examination.diagnose(Settings(state=the_lab(state).folder.root))
    if as_json:
        print_json(examination.as_json(parts))
    else:
        out.print(examination.table(parts))
    if not examination.is_well(parts):
        raise typer.Exit(1)


COMMANDS = (setup, doctor)
