"""The command line: the commands of `vidlab.commands` put together, and errors told calmly."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from vidlab import __version__
from vidlab.commands import bench, chaos, check, demo, faults, lab, notebook, numbers, setup, videos
from vidlab.commands.common import err, lab_kind
from vidlab.errors import VidLabError

app = typer.Typer(
    name="vidlab", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)

#: The table of commands, in the order of the help; a topic's module adds its own.
COMMANDS: tuple[Callable[..., Any], ...] = (
    *demo.COMMANDS,
    *videos.COMMANDS,
    *notebook.COMMANDS,
    *lab.COMMANDS,
    *faults.COMMANDS,
    *numbers.COMMANDS,
    *check.COMMANDS,
    *chaos.COMMANDS,
    *bench.COMMANDS,
    *setup.COMMANDS,
)

for command in COMMANDS:
    app.command(context_settings=lab.READING.get(command))(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"VidLab {__version__}")
        raise typer.Exit


@app.callback()
def vidlab(
    state: Annotated[Path | None, typer.Option("--state", help="The lab's folder.", metavar="DIR")] = None,
    lab: Annotated[
        Literal["local", "compose"] | None,
        typer.Option("--lab", help="Processes of this machine, or containers; else VIDLAB_LAB, else local."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """A real distributed video pipeline that you start, watch, break and scale."""
    lab_kind.set(lab)


def main() -> None:
    """Run the command line; what VidLab raises on purpose comes without a traceback."""
    try:
        app(prog_name="vidlab")
    except VidLabError as error:
        tell(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def tell(error: VidLabError) -> None:
    """What happened, the last log lines when there are any, and what to do."""
    err.print(f"vidlab: {error}")
    if lines := error.facts.get("lines"):
        err.print(f"  last lines of {error.facts['log']}:")
        err.print("\n".join(f"    {line}" for line in lines))
    for advice in (*error.advice.splitlines(), *getattr(error, "__notes__", ())):
        err.print(f"  {advice}")


if __name__ == "__main__":
    main()
