"""The consumer loop's decisions, without a broker."""

from __future__ import annotations

import time
from unittest.mock import Mock

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException
from pydantic import SecretStr

from vidlab import bus
from vidlab.bus import Bus, Loop, Subscription, consumer_config, producer_config
from vidlab.settings import Settings

SETTINGS = Settings(kafka="kafka:9092", process="relay.1")


def test_a_message_counts_as_sent_when_all_replicas_have_it_once_and_in_order() -> None:
    assert producer_config(SETTINGS) == {
        "bootstrap.servers": "kafka:9092",
        "client.id": "relay.1",
        "enable.idempotence": True,
        "acks": "all",
        "message.timeout.ms": 5000,
        "linger.ms": 2,
        "reconnect.backoff.max.ms": 1000,
    }


def test_a_group_begins_at_the_earliest_message_commits_itself_and_is_given_up_after_six_seconds() -> None:
    assert consumer_config(SETTINGS, "video_processing_144p") == {
        "bootstrap.servers": "kafka:9092",
        "group.id": "video_processing_144p",
        "client.id": "relay.1",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": 6000,
        "heartbeat.interval.ms": 1500,
        "topic.metadata.refresh.interval.ms": 10_000,
        "reconnect.backoff.max.ms": 1000,
    }


@pytest.fixture
def loop() -> Loop:
    """A loop whose consumer is a stand-in."""
    subscription = Subscription(
        topic="video_processing",
        group="g",
        handle=Mock(),
        is_full=lambda: False,
        on_ready=Mock(),
        stopping=lambda: False,
    )
    made = Loop(Settings(kafka="127.0.0.1:1"), subscription, Mock())
    made.consumer.close()
    made.consumer = Mock(assignment=Mock(return_value=["all"]))
    return made


def test_after_a_rebalance_the_whole_assignment_is_paused_or_resumed_anew(loop: Loop) -> None:
    loop._pause(True)
    loop.consumer.pause.assert_called_once_with(["all"])  # type: ignore[attr-defined]
    loop._on_assign(loop.consumer, [])
    loop._pause(False)
    loop.consumer.resume.assert_called_once_with(["all"])  # type: ignore[attr-defined]
    loop._pause(False)
    loop.consumer.resume.assert_called_once()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("looks", "paused"), [(3, False), (10_000, True)])
def test_a_queue_that_is_full_for_a_moment_does_not_cost_what_was_fetched(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, looks: int, paused: bool
) -> None:
    monkeypatch.setattr(bus, "FULL_FOR_LONG", 0.2)
    full = iter([True] * looks)
    loop.subscription.is_full = lambda: next(full, False)
    loop.consumer.poll.return_value = None  # type: ignore[attr-defined]
    loop.subscription.stopping = lambda: loop.consumer.poll.called  # type: ignore[attr-defined]
    loop.run()
    assert loop.consumer.pause.called is paused  # type: ignore[attr-defined]


class Gone(Exception):
    """Instead of the end of the process."""


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> Mock:
    made = Mock(side_effect=Gone)
    monkeypatch.setattr("os._exit", made)
    monkeypatch.setattr(bus, "STRANDED", 0.05)
    return made


def apart(loop: Loop) -> None:
    """The group has taken all partitions away, and a while passes."""
    loop.consumer.assignment.return_value = []  # type: ignore[attr-defined]
    loop._on_revoke(loop.consumer, [])
    time.sleep(0.06)


def test_who_is_not_let_into_the_group_again_begins_anew(loop: Loop, exits: Mock) -> None:
    loop._on_revoke(loop.consumer, [])
    loop._see_whether_stranded()  # not yet
    apart(loop)
    with pytest.raises(Gone):
        loop._see_whether_stranded()
    exits.assert_called_once_with(bus.STRANDED_EXIT)


def test_whom_the_group_gives_no_partition_stays(loop: Loop, exits: Mock) -> None:
    apart(loop)
    loop._on_assign(loop.consumer, [])
    loop._see_whether_stranded()
    exits.assert_not_called()


def test_who_kept_some_partitions_stays(loop: Loop, exits: Mock) -> None:
    apart(loop)
    loop.consumer.assignment.return_value = ["one"]  # type: ignore[attr-defined]
    loop._see_whether_stranded()
    exits.assert_not_called()


def test_while_kafka_is_away_nobody_is_stranded(loop: Loop, exits: Mock) -> None:
    apart(loop)
    loop.consumer.list_topics.side_effect = KafkaException(KafkaError(KafkaError._TRANSPORT))  # type: ignore[attr-defined]
    loop._see_whether_stranded()
    exits.assert_not_called()


def test_a_parked_message_is_cut_to_what_a_broker_takes(loop: Loop) -> None:
    record = Mock(value=lambda: b"x" * 2_000_000, key=lambda: b"k", partition=lambda: 0, offset=lambda: 7)
    loop._park(record, "odd")
    (topic, key, value, headers), _ = loop.bus.publish.call_args  # type: ignore[attr-defined]
    assert (topic, key, headers["offset"]) == ("video_processing.dead", "k", "7")
    assert len(value) < 1_000_000


def test_a_producer_that_takes_nothing_more_is_renewed() -> None:
    bus = Bus(Settings(kafka="127.0.0.1:1"))
    broken = Mock(produce=Mock(side_effect=BufferError("full")))
    bus._producer = broken
    assert bus.publish_all([("t", "k", "v", {})]) == [False]
    assert bus._producer is not broken


def test_kafka_is_signed_in_to_only_with_a_password() -> None:
    assert Settings(kafka="host:9092").kafka_client == {"bootstrap.servers": "host:9092"}
    settings = Settings(kafka="name.servicebus.windows.net:9093", kafka_password=SecretStr("key"))
    config = consumer_config(settings, "group")
    signing = {name: value for name, value in config.items() if name.startswith(("security", "sasl"))}
    assert signing == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "$ConnectionString",
        "sasl.password": "key",
    }
    Consumer(config).close()  # librdkafka knows these words
