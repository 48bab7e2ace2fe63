"""The supervisor's process: `python -m vidlab.lab.supervisor`. It runs one lab until it is told to take it down."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import functools
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from vidlab.errors import VidLabError
from vidlab.lab.addresses import as_text, endpoints, port_of, with_addresses
from vidlab.lab.backend import Backend
from vidlab.lab.control import Control
from vidlab.lab.crew import Crew
from vidlab.lab.folder import Folder, LabFile
from vidlab.lab.launch import Command, Program
from vidlab.lab.links import make_links
from vidlab.lab.outages import Outages
from vidlab.lab.ports import BEHIND, HOST, USUAL, Ports, listen_as_before
from vidlab.lab.servers import server_command
from vidlab.lab.spec import Kind, kind_named, make_spec
from vidlab.lab.verbs import MOST
from vidlab.programs import find
from vidlab.settings import Settings

log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """uvicorn inside our loop: signals are the supervisor's matter."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def face_of(control: Control) -> Server:
    """The server of a lab's HTTP face."""
    # Who follows the events must not hold up the end.
    config = uvicorn.Config(control.app(), log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    return Server(config)


class Lab:
    """One lab: its crew, its HTTP face, and the file that tells where it is."""

    def __init__(self, folder: Folder, settings: Settings, ports: Ports) -> None:
        self.folder = folder
        self.ports = ports
        self.outside = settings.model_fields_set
        self.settings = with_addresses(settings, ports.chosen)
        self.listener = listen_as_before(folder.ports_file, "control")
        self.control_url = f"http://{HOST}:{self.listener.getsockname()[1]}"
        self.since = time.time()
        self.links = make_links(ports.chosen)

    async def serve(self, kinds: Sequence[Kind], counts: Mapping[str, int], with_parent: bool) -> None:
        """Start everything, and return when the lab was taken down."""
        crew = Crew(kinds, self.folder, self.settings, resolve=self._command, ports=self.ports, outside=self.outside)
        crew.on_change = functools.partial(self._keep, crew)
        for name, count in {**possible(self.folder.read_counts(), crew.kinds), **counts}.items():
            crew.counts[kind_named(name, crew.kinds).name] = count
        listen_for_the_end(crew, with_parent)
        outages = Outages(crew, self.settings, self.links)
        server = self._server(crew, outages)
        face = asyncio.create_task(server.serve([self.listener]))
        try:
            async with contextlib.AsyncExitStack() as links:
                for link in self.links.values():
                    await links.enter_async_context(link.listening())
                self.folder.write_lab(self._file(crew))
                await crew.run()
                await outages.end()
        finally:
            if self.folder.is_run_by(os.getpid()):
                self.folder.forget_lab()
            server.should_exit = True
            await face

    def _command(self, kind: Kind) -> Command:
        for program in kind.programs:
            find(program, self.settings)  # raises PartMissing
        if kind.command is not None:
            return Program(kind.command)
        behind = {name: link.behind for name, link in self.links.items()}
        advertised = {"kafka-advertised": self.ports.chosen["kafka"]}
        ports = {**self.ports.chosen, **advertised, **behind}
        return server_command(kind.name, self.folder.root, ports, self.settings)

    def _server(self, crew: Crew, outages: Outages) -> Server:
        return face_of(Control(crew, outages, lambda: self._tell(crew)))

    def _file(self, crew: Crew) -> LabFile:
        return LabFile(
            pid=os.getpid(),
            lab_id=self.folder.lab_id,
            control_url=self.control_url,
            ports=self.ports.chosen,
            endpoints=endpoints(self.settings, self.control_url),
            settings=as_text(self.settings),
            counts=crew.counts,
            processes=crew.pids(),
        )

    def _keep(self, crew: Crew) -> None:
        """Write down what has changed, unless somebody has removed the folder: then it is not ours any more."""
        if not self.folder.is_run_by(os.getpid()):
            return
        try:
            self.folder.write_lab(self._file(crew))
            self.folder.write_counts(crew.counts)
        except OSError as error:
            log.warning("not written down: %s", error)

    def _tell(self, crew: Crew) -> dict[str, Any]:
        return {
            "state": "down" if crew.closing else "up" if crew.is_up else "starting",
            "api_url": self.settings.api_url,
            "lab_id": self.folder.lab_id,
            "since": self.since,
            "counts": crew.counts,
            "endpoints": endpoints(self.settings, self.control_url),
        }


def possible(counts: Mapping[str, int], kinds: Mapping[str, Kind]) -> dict[str, int]:
    """Those of the counts of earlier that can be had: the profiles may be other ones by now."""
    scalable = {name for name, kind in kinds.items() if kind.scalable}
    return {name: count for name, count in counts.items() if name in scalable and 0 <= count <= MOST}


def listen_for_the_end(crew: Backend, with_parent: bool) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, crew.close)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if with_parent:
        # Standard input is a pipe whose other end the parent holds: it closes however the parent ends.
        loop.add_reader(sys.stdin.fileno(), _parent_gone, loop, crew)


def _parent_gone(loop: asyncio.AbstractEventLoop, crew: Backend) -> None:
    loop.remove_reader(sys.stdin.fileno())
    crew.close()


def pinned_ports(settings: Settings) -> dict[str, int]:
    """The ports that the user asked for."""
    wanted = {name: getattr(settings, f"{name.replace('-', '_')}_port") for name in USUAL}
    if "api_url" in settings.model_fields_set:
        wanted["api"] = wanted["api"] or port_of(settings.api_url)
    return {name: port for name, port in wanted.items() if port}


def run_lab(root: Path, kinds: Sequence[Kind], counts: Mapping[str, int], with_parent: bool = False) -> int:
    """Run the lab of that folder in this process. Gives the exit code: 3 when one runs there already."""
    folder = Folder(root)
    folder.make()
    with alone_in(folder) as alone:
        if not alone:
            return 3
        settings = Settings(state=folder.root)
        usual = USUAL | BEHIND if settings.links else USUAL
        with Ports(folder.ports_file, pinned_ports(settings), usual) as ports:
            asyncio.run(Lab(folder, settings, ports).serve(kinds, counts, with_parent))
    return 0


@contextlib.contextmanager
def alone_in(folder: Folder) -> Iterator[bool]:
    """Is there no other supervisor in that folder? Then there comes none as long as the block lasts."""
    with (folder.root / "supervisor.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            log.error("another supervisor runs this lab")
            yield False
        else:
            yield True


def main(kinds: Sequence[Kind] = make_spec()) -> int:
    """The command line; a test passes kinds of its own."""
    return supervise(
        lambda given, counts: run_lab(given.state, kinds, counts, given.with_parent), command_line(__doc__)
    )


def command_line(description: str | None) -> argparse.ArgumentParser:
    """What every supervisor is told."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--state", type=Path, required=True, help="the lab's folder")
    parser.add_argument("--count", action="append", default=[], metavar="KIND=N", help="how many of a kind are wanted")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input is closed")
    return parser


def supervise(run: Callable[[argparse.Namespace, Mapping[str, int]], int], parser: argparse.ArgumentParser) -> int:
    """Read the command line, and run the lab with those counts. Gives the exit code."""
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    counts = {name: int(number) for name, _, number in (count.partition("=") for count in options.count)}
    try:
        return run(options, counts)
    except VidLabError as error:
        log.error("%s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
