"""Structured logs: one JSON object per line on standard output, with the process and the video_hash.

The libraries' own records (Celery's, uvicorn's) go through the same formatter, so that a log file has one shape.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

#: Libraries that tell every request they make.
TALKATIVE = ("azure", "httpx", "httpcore", "urllib3", "kombu", "alembic")


def set_up_logs(process: str) -> None:
    """To be called once, by an entry point."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_formatter(shared))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _formatter(shared: list[Any]) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(),
        ],
    )


def only_warnings() -> None:
    """For a command that a person watches: what goes well is told by the command itself."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
