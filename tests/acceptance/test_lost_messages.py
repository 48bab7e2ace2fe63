"""Kafka has forgotten messages that nobody had read: the database still knows what is outstanding."""

from __future__ import annotations

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # it is public all the same

from tests.acceptance.test_faults import job, paused, until
from tests.lab import RunningLab
from vidlab import clips as table
from vidlab.models import State
from vidlab.profiles import PARTITIONS, Topic


def forget_all(kafka: str, topic: str) -> None:
    """Delete all records of a topic, as a lost disk or a short retention would."""
    admin = AdminClient({"bootstrap.servers": kafka})
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    latest: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    ends = admin.list_offsets(dict.fromkeys(places, latest))
    upto = [TopicPartition(at.topic, at.partition, answer.result(5).offset) for at, answer in ends.items()]
    for answer in admin.delete_records(upto).values():
        answer.result(5)


def test_a_message_that_kafka_has_lost_is_posted_again(lab: RunningLab) -> None:
    with paused(lab, "consumer-144p"):
        video_hash = lab.send(table.make("tiny", lab.clips))
        until(lambda: getattr(job(lab, video_hash, "thumbnail"), "state", "") == State.DONE, "the others have read it")
        waiting = job(lab, video_hash, "144p")
        assert waiting is not None
        assert waiting.state == State.WAITING
        forget_all(lab.settings.kafka, Topic.PROCESSING)
    video = lab.ended(video_hash)
    assert video["status"] == "completed", video["error"]
    kinds = lab.kinds(video_hash)
    assert kinds.count("posted_again") == 1
    assert kinds.count("completed") == 1
    assert lab.kinds(video_hash, "thumbnail").count("done") == 1
