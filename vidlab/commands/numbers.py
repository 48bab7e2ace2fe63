"""`vidlab lag queues`: what waits where."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby

from rich.table import Table

from vidlab.commands.common import Json, State, out, print_json, the_lab


def lag(as_json: Json = False, state: State = None) -> None:
    """Show how far each consumer group is behind, in messages, per partition."""
    from vidlab.observe.kafka import lag as measure

    rows = measure(the_lab(state).settings())
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("group", "topic", "lag", "by partition: offset of end", box=None, header_style="dim")
    for group, of_group in groupby(rows, key=lambda row: row.group):
        partitions = list(of_group)
        behind = sum(row.lag for row in partitions)
        parts = "  ".join(f"{row.partition}: {row.offset} of {row.end}" for row in partitions)
        table.add_row(group, partitions[0].topic, str(behind), parts)
    out.print(table)


def queues(as_json: Json = False, state: State = None) -> None:
    """Show what waits in each Celery queue, and what is being worked on."""
    from vidlab.observe.queues import queues as measure

    rows = measure(the_lab(state).settings())
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("queue", "waiting", "running", box=None, header_style="dim")
    for row in rows:
        table.add_row(row.queue, str(row.waiting), str(row.running))
    out.print(table)


COMMANDS = (lag, queues)
