"""What a lesson left when its kernel was killed in the middle of a cell: groups and topics."""

from __future__ import annotations

from vidlab.face import Lab
from vidlab.lessons.groups import ANSWER, PREFIX, Groups
from vidlab.lessons.keyed_topic import remove


def tidy(lab: Lab) -> int:
    """Remove them, those of all lessons, and give how many there were. A cell that runs meanwhile loses its own."""
    groups = Groups(lab.settings)
    topics = [name for name in groups.admin.list_topics(timeout=ANSWER).topics if name.startswith(PREFIX)]
    left = groups.names()
    for group in left:
        groups.forget(group)
    remove(topics, groups)
    return len(left) + len(topics)
