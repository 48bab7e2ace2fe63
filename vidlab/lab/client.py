"""Speaks to a running supervisor: by the standard library alone, so that a command is done at once."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit

from vidlab.errors import LabNotRunning, SupervisorSilent
from vidlab.lab.folder import Folder, LabFile
from vidlab.lab.journal import Event
from vidlab.problem import from_problem

SECRET = "X-VidLab-Secret"
PATIENCE = 10.0  # seconds for an answer
FAULT_PATIENCE = 30.0  # seconds; a lock on the database is waited for


class Client:
    """The words of the control API for one lab.

    Each raises LabNotRunning, SupervisorSilent, and what the supervisor says.
    """

    def __init__(self, folder: Folder, lab: LabFile) -> None:
        self.folder = folder
        self.pid = lab.pid
        self.address = urlsplit(lab.control_here or lab.control_url).netloc

    def status(self) -> dict[str, Any]:
        """The lab as a whole and its processes."""
        return dict(self._ask("GET", "/status"))

    def events(self, after: int = 0, wait: float = 0) -> list[Event]:
        """What happened after that event; waits so many seconds for something to happen."""
        found = self._ask("GET", f"/events?after={after}&wait={wait:.0f}", timeout=PATIENCE + wait)
        return [Event(**event) for event in found]

    def act(self, verb: str, name: str) -> list[str]:
        """Do it to the processes that the name means, and give their names."""
        return list(self._ask("POST", f"/processes/{_segment(name)}/{verb}")["processes"])

    def kill_pid(self, pid: int | str) -> list[str]:
        """End one operating-system process of the lab, and give the name of the process that it belonged to."""
        return list(self._ask("POST", f"/pids/{_segment(str(pid))}/kill")["processes"])

    def scale(self, kind: str, count: int) -> int:
        """Change how many of a kind are wanted, and give how many were."""
        return int(self._ask("POST", f"/kinds/{_segment(kind)}/scale", body={"count": count})["before"])

    def log(self, name: str, lines: int) -> str:
        """The last lines of a process's log."""
        return str(self._ask("GET", f"/logs/{_segment(name)}?lines={lines}")["text"])

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are on."""
        return list(self._ask("GET", "/faults"))

    def fault(self, name: str, target: str, seconds: float | None) -> dict[str, Any]:
        """Begin a fault; the answer comes once it has begun."""
        body = {"target": target, "seconds": seconds}
        return dict(self._ask("POST", f"/faults/{_segment(name)}", body=body, timeout=FAULT_PATIENCE))

    def faults_over(self, number: int | None) -> list[dict[str, Any]]:
        """End a fault, or all of them."""
        return list(self._ask("POST", "/faults/over", body={"id": number}, timeout=FAULT_PATIENCE))

    def down(self) -> None:
        """Begin to take the lab down."""
        self._ask("POST", "/down")

    def _ask(self, method: str, path: str, body: Any = None, timeout: float | None = None) -> Any:
        timeout = PATIENCE if timeout is None else timeout
        connection = http.client.HTTPConnection(self.address, timeout=timeout)
        headers = {SECRET: self.folder.secret, "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body), headers)
            answer = connection.getresponse()
            told = json.load(answer)
        except TimeoutError as error:
            raise SupervisorSilent(state=self.folder.root, pid=self.pid, seconds=timeout) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise LabNotRunning(state=self.folder.root) from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise from_problem(told)
        return told


def _segment(name: str) -> str:
    """A name as part of a path, whatever somebody typed."""
    return quote(name, safe="")
