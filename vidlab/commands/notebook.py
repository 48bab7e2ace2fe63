"""`vidlab lab`: JupyterLab, opened on the first notebook."""

from __future__ import annotations

import importlib.util
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from vidlab.commands.common import State, out, shown, the_lab
from vidlab.errors import LabFailed, NotebookGone, PartMissing
from vidlab.here import here
from vidlab.processes import die_with_parent

FIRST = "00_start_here.ipynb"
FOLDER = Path(__file__).parents[2] / "notebooks"
#: JupyterLab without pop-ups.
OVERRIDES = Path(__file__).parents[1] / "lab" / "jupyter"
LOCAL = "127.0.0.1"
PATIENCE = 30.0  # seconds for JupyterLab to answer
LATER = 10.0  # seconds that it has to end


def lab(
    notebook: Annotated[Path | None, typer.Argument(help="A notebook; else the first.", metavar="[FILE]")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    state: State = None,
) -> None:
    """Open JupyterLab on the first notebook. Ctrl-C ends it; the lab stays up."""
    from vidlab.lab.ports import any_free

    if importlib.util.find_spec("jupyterlab") is None:
        raise PartMissing(part="JupyterLab", why="the package jupyterlab is not installed", command="make lab")
    file = (notebook or FOLDER / FIRST).absolute()
    if not file.exists():
        raise NotebookGone(path=shown(file))
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell that started us in the background ignores it
        signal.signal(number, signal.default_int_handler)
    token, port = secrets.token_urlsafe(24), any_free()
    server = _start(file, port, token, the_lab(state).folder.root, browser=browser)
    url = f"http://{LOCAL}:{port}/lab/tree/{file.name}?token={token}"
    try:
        _wait_for(server, port)
        out.print(f"JupyterLab is open on {file.name}; Ctrl-C ends it, the lab stays up\n  {url}")
        server.wait()
    except KeyboardInterrupt:
        out.print("\nJupyterLab is closed. The lab is as it was: vidlab status; vidlab down takes it down.")
    finally:
        _end(server)
    if server.returncode not in (0, -signal.SIGTERM, -signal.SIGINT):
        raise LabFailed(why=f"JupyterLab ended by itself with exit code {server.returncode}; it says why above.")


def _start(file: Path, port: int, token: str, state: Path, *, browser: bool) -> subprocess.Popen[bytes]:
    options = {
        "ServerApp.ip": LOCAL,
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": file.parent,
        "ServerApp.open_browser": browser,
        "ServerApp.allow_root": True,  # as in a container; it listens on this machine alone, and wants its token
        "LabApp.default_url": f"/lab/tree/{file.name}",
        "LabApp.app_settings_dir": OVERRIDES,
        "ServerApp.log_level": "ERROR",
        "LabApp.log_level": "ERROR",
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    # The token goes by the environment: everyone may read a process's words.
    environment = {**os.environ, "VIDLAB_STATE": str(state), "JUPYTER_TOKEN": token}
    # A group of its own, so that Ctrl-C reaches us alone: JupyterLab would ask whether it was meant.
    command = [sys.executable, "-m", "jupyterlab", *words]
    return subprocess.Popen(command, env=environment, cwd=here(), process_group=0, preexec_fn=die_with_parent)


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    import httpx

    deadline = time.monotonic() + PATIENCE
    while True:
        if server.poll() is not None:
            raise LabFailed(why=f"JupyterLab ended at once with exit code {server.returncode}; it says why above.")
        try:
            httpx.get(f"http://{LOCAL}:{port}/api", trust_env=False)
            return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise LabFailed(why=f"JupyterLab did not answer within {PATIENCE:.0f} s.") from None
            time.sleep(0.2)


def _end(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(LATER)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


COMMANDS = (lab,)
