"""What a container of VidLab runs: `python -m services.container worker 360p`.

It gives the process the name that it has in the local lab, worker-360p.2, and then becomes it.
"""

from __future__ import annotations

import json
import os
import runpy
import socket
import struct
import sys
import time
from dataclasses import asdict
from pathlib import Path

from vidlab.lab.folder import write_private
from vidlab.lab.ready import ready_file
from vidlab.lab.scratch import scratch_of
from vidlab.settings import Settings

#: Where a health check reads the process's name.
NAME = Path("/tmp/process")
PATIENCE = 10.0  # seconds for Docker's name server to know a container that has just begun
#: Docker's, in each network of compose's.
NAME_SERVER = ("127.0.0.11", 53)
POINTER = 12  # the type of a record
RECURSE = 0x0100  # a question's flags
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
OVERRIDES = Path(__file__).parents[1] / "vidlab" / "lab" / "jupyter"


def number() -> str:
    """Which of its service's containers this is, from 1: the end of the name that Docker gave it.

    Docker's name server tells it: vidlab-worker_360p-2.vidlab_default. The system's own calls would not ask it, they
    find the container's id in /etc/hosts. Raises TimeoutError.
    """
    own = socket.gethostbyname(socket.gethostname())
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (end := first_label(own).rpartition("-")[2]).isdecimal():
            return end
        time.sleep(0.1)
    raise TimeoutError(f"Docker's name server did not tell the name of the container at {own}.")


def first_label(address: str) -> str:
    """What a name server has for an IPv4 address (a PTR record of RFC 1035, 3.3.12), up to the first dot, or ""."""
    labels = [*reversed(address.split(".")), "in-addr", "arpa", ""]
    question = b"".join(bytes([len(label)]) + label.encode() for label in labels) + struct.pack(">HH", POINTER, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        try:
            asking.sendto(struct.pack(">6H", 1, RECURSE, 1, 0, 0, 0) + question, NAME_SERVER)
            answer = asking.recv(512)
        except OSError:
            return ""
    at = answer.find(struct.pack(">HH", POINTER, 1), 12 + len(question))  # the answer's type and class
    record = answer[at + 10 :] if at > 0 else b""  # behind its time to live and its length
    return record[1 : 1 + record[0]].decode("ascii", "replace") if record else ""


def name_of(module: str, *words: str) -> str:
    """The process's name: numbered when there may be several."""
    kind = "-".join((module, *words))
    return f"{kind}.{number()}" if words else kind


def become(module: str, *words: str) -> None:
    """Run a module of `services` under its name."""
    name = name_of(module, *words)
    os.environ["VIDLAB_PROCESS"] = name
    NAME.write_text(name)
    ready_file(Settings().state, name).unlink(missing_ok=True)  # of a container that was here before
    sys.argv = [module, *words]
    runpy.run_module(f"services.{module}", run_name="__main__")


def jupyter() -> None:
    """Become JupyterLab, open for the host; who comes needs JUPYTER_TOKEN."""
    options = {
        "ServerApp.ip": "0.0.0.0",
        "ServerApp.port": 8888,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": NOTEBOOKS,
        "ServerApp.open_browser": False,
        "LabApp.default_url": "/lab/tree/00_start_here.ipynb",
        "LabApp.app_settings_dir": OVERRIDES,
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *words])


def told() -> None:
    """Keep what the host's supervisor says on standard input: where it is, and its secret. Ours share a folder."""
    state = Settings().state
    for name, text in json.load(sys.stdin).items():
        write_private(state / name, text)


def scratch() -> None:
    """Print what lies in the scratch folder of ours, as JSON: the verdict on the host asks."""
    sys.stdout.write(json.dumps([asdict(one) for one in scratch_of(Settings().state)]))


def main(*words: str) -> None:
    """Do what the compose file says, or the host's supervisor."""
    match words:
        case ("told",):
            told()
        case ("scratch",):
            scratch()
        case ("jupyter",):
            jupyter()
        case _:
            become(*words)


if __name__ == "__main__":
    main(*sys.argv[1:])
