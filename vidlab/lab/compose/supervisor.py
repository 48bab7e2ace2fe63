"""The supervisor of a lab in containers: `python -m vidlab.lab.compose.supervisor`. Docker runs them; it is asked."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from vidlab.lab.addresses import as_text, endpoints
from vidlab.lab.compose.containers import Containers
from vidlab.lab.compose.logs import Logs
from vidlab.lab.compose.project import Project, Seen
from vidlab.lab.control import LOOPBACK, Control
from vidlab.lab.folder import Folder, LabFile
from vidlab.lab.outages import Outages
from vidlab.lab.ports import HOST, listen_as_before
from vidlab.lab.spec import kind_named
from vidlab.lab.supervisor import alone_in, command_line, face_of, listen_for_the_end, possible, supervise
from vidlab.settings import Settings

#: What Docker calls this machine in the containers whose service says so.
INSIDE = "host.docker.internal"


class Lab:
    """One lab in containers: its HTTP face, and the file that tells where it is."""

    def __init__(self, folder: Folder, project: Project) -> None:
        self.folder = folder
        self.project = project
        self.settings: Settings = project.settings(folder.root)
        self.listeners = [listen_as_before(folder.ports_file, "control")]
        self.port = self.listeners[0].getsockname()[1]
        self.control_url = f"http://{HOST}:{self.port}"
        with contextlib.suppress(OSError):  # where Docker runs in a machine of its own, it leads to HOST by itself
            self.listeners.append(socket.create_server((project.gateway, self.port)))
        self.since = time.time()

    async def serve(self, counts: Mapping[str, int], given: argparse.Namespace) -> None:
        """Bring everything up, or attach to what there is, and return when the lab was taken down."""
        containers = Containers(self.project, self.folder)
        containers.on_change = lambda: self._keep(containers)
        containers.on_api = self._introduce
        for name, count in {**possible(self.folder.read_counts(), containers.kinds), **counts}.items():
            containers.counts[kind_named(name, containers.kinds).name] = count
        listen_for_the_end(containers, given.with_parent)
        outages = Outages(containers, self.settings, {})
        containers.on_end = outages.end
        server = face_of(Control(containers, outages, lambda: self._tell(containers), (*LOOPBACK, INSIDE)))
        face = asyncio.create_task(server.serve(self.listeners))
        try:
            await containers.take_over(attach=given.attach)
            self.folder.write_lab(self._file(containers))
            async with Logs(self.project, self.folder).followed():
                await containers.run(attach=given.attach)
        finally:
            if self.folder.is_run_by(os.getpid()):
                self.folder.forget_lab()
            server.should_exit = True
            await face

    def _file(self, containers: Containers) -> LabFile:
        return LabFile(
            pid=os.getpid(),
            lab_id=self.folder.lab_id,
            control_url=self.control_url,
            ports=self.project.published,
            endpoints=endpoints(self.settings, self.control_url),
            settings=as_text(self.settings),
            counts=containers.counts,
            processes={one.name: one.pid for one in containers.in_order() if one.pid is not None},
        )

    def _introduce(self, container: Seen) -> None:
        """Tell the API and JupyterLab, which share a folder, where this supervisor is. Raises CommandFailed."""
        told = {
            "lab.json": json.dumps(asdict(self._inside())),
            "lab-id": self.folder.lab_id,
            "secret": self.folder.secret,
        }
        words = ("exec", "--interactive", container.id, "python", "-m", "services.container", "told")
        self.project.docker(*words, given=json.dumps(told))

    def _inside(self) -> LabFile:
        """As `lab.json` reads in a container: addresses are those of its environment."""
        return LabFile(
            pid=0,
            lab_id=self.folder.lab_id,
            control_url=self.control_url,
            control_here=f"http://{INSIDE}:{self.port}",
            ports={},
            endpoints={},
            settings={},
        )

    def _keep(self, containers: Containers) -> None:
        if self.folder.is_run_by(os.getpid()):
            with contextlib.suppress(OSError):  # the disk is full: the next change is written
                self.folder.write_lab(self._file(containers))
                scaled = {name: count for name, count in containers.counts.items() if containers.kinds[name].scalable}
                self.folder.write_counts(scaled)

    def _tell(self, containers: Containers) -> dict[str, Any]:
        return {
            "state": "down" if containers.closing else "up" if containers.is_up else "starting",
            "api_url": self.settings.api_url,
            "lab_id": self.folder.lab_id,
            "since": self.since,
            "counts": containers.counts,
            "endpoints": endpoints(self.settings, self.control_url),
        }


def run_lab(given: argparse.Namespace, counts: Mapping[str, int]) -> int:
    """Run the lab of that folder by Docker. Gives the exit code: 3 when somebody does so already."""
    folder = Folder(given.state)
    folder.make()
    with alone_in(folder) as alone:
        if not alone:
            return 3
        asyncio.run(Lab(folder, Project()).serve(counts, given))
    return 0


def main() -> int:
    """The command line."""
    logging.getLogger("vidlab.lab.shell").setLevel(logging.WARNING)  # Docker is asked every second
    parser = command_line(__doc__)
    parser.add_argument("--attach", action="store_true", help="start nothing: follow the containers that are there")
    return supervise(run_lab, parser)


if __name__ == "__main__":
    sys.exit(main())
