"""The lag that Kafka is asked for, when it gives no answer."""

from __future__ import annotations

from concurrent.futures import Future
from unittest.mock import Mock

import pytest

from vidlab.errors import DependencyAway
from vidlab.observe import kafka
from vidlab.settings import Settings


def test_a_kafka_that_accepts_and_never_answers_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Mock(list_offsets=lambda partitions, request_timeout: {at: Future() for at in partitions})
    monkeypatch.setattr(kafka, "AdminClient", Mock(return_value=silent))
    monkeypatch.setattr(kafka, "ANSWER", -0.95)  # which leaves 50 ms
    with pytest.raises(DependencyAway, match="kafka does not answer: no answer in"):
        kafka.lag(Settings(kafka="127.0.0.1:1"))
