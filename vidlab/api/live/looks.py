"""What is looked at for whoever watches: queues, lag, processes, faults. Each look is a question to one server."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from vidlab.api.parts import Parts
from vidlab.errors import DependencyAway, LabNotRunning, SupervisorSilent
from vidlab.lab.client import Client
from vidlab.lab.folder import Folder
from vidlab.observe.kafka import lag
from vidlab.observe.queues import queues
from vidlab.profiles import stages

Message = dict[str, Any]


@dataclass(frozen=True)
class Look:
    """Something that is asked again and again while somebody watches."""

    #: Also the message's type, and its name in a snapshot.
    name: str
    #: Whose absence is told when there is no answer.
    server: str
    #: Between two looks.
    seconds: float
    ask: Callable[[Parts], Any]
    #: What of an answer is news when it is another.
    news: Callable[[Any], Any] = lambda answer: answer


def queues_now(parts: Parts) -> list[Message]:
    """Each Celery queue. Raises DependencyAway."""
    return [asdict(queue) for queue in queues(parts.settings, parts.store)]


def lag_now(parts: Parts) -> list[Message]:
    """Each group, in messages, and in the seconds that the oldest job waits in Kafka. Raises DependencyAway."""
    behind: dict[str, int] = defaultdict(int)
    for row in lag(parts.settings):
        behind[row.group] += row.lag
    since, now = parts.store.oldest_unread(), datetime.now(UTC)
    return [
        {
            "group": stage.group,
            "topic": stage.topic,
            "messages": behind[stage.group],
            "seconds": _age(since.get(stage.name), now) if behind[stage.group] else 0.0,
        }
        for stage in stages()
    ]


def _age(since: datetime | None, now: datetime) -> float | None:
    return max(0.0, round((now - since).total_seconds(), 1)) if since else None


def _lasting(processes: list[Message]) -> list[Message]:
    """Processes without what changes with each look though nothing happens: times, also those in words."""
    return [process | {"uptime": None, "note": re.sub(r"\d+", "", process["note"])} for process in processes]


def processes_now(parts: Parts) -> list[Message]:
    """Each process, as its supervisor tells it. Raises DependencyAway."""
    return list(supervisor(parts).status()["processes"])


def faults_now(parts: Parts) -> list[Message]:
    """The faults that are on. Raises DependencyAway."""
    return supervisor(parts).faults()


def supervisor(parts: Parts) -> Client:
    """Who speaks to the lab's supervisor, whose silence is an absence like others. Raises DependencyAway."""
    folder = Folder(parts.settings.state)
    running = folder.read_lab()
    if running is None:
        raise DependencyAway(name="supervisor", why="no lab runs in this folder")
    return _Told(folder, running)


class _Told(Client):
    """A client whose silence is an absence like others."""

    def _ask(self, method: str, path: str, body: Any = None, timeout: float | None = None) -> Any:
        try:
            return super()._ask(method, path, body, timeout)
        except (LabNotRunning, SupervisorSilent) as error:
            raise DependencyAway(name="supervisor", why=str(error)) from error


#: The table: a row here is a message of its own, and part of each snapshot.
LOOKS: tuple[Look, ...] = (
    Look("queues", "redis", 1.0, queues_now),
    Look("lag", "kafka", 1.0, lag_now),
    Look("processes", "supervisor", 0.5, processes_now, _lasting),
    Look("faults", "supervisor", 0.5, faults_now),
)
