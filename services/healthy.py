"""A container's health check: `python services/healthy.py http://127.0.0.1:8000/health/live`.

It ends with 0 when the answer is 200, and with 1 otherwise. Docker starts it every few seconds, so it imports nothing
of ours: that would cost a quarter of a second of processor time each time.
"""

from __future__ import annotations

import http.client
import sys
from urllib.parse import urlsplit

ANSWER = 4.0  # seconds for an answer


def answers(url: str) -> bool:
    """Is this address answered with 200? Not by urllib, which would ask a proxy that the environment names."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1]) else 1)
