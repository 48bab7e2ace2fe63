"""What each kind of process is for, in a sentence: the table that `lab.purposes()` shows."""

from __future__ import annotations

from collections.abc import Mapping

from vidlab.lab.spec import kind_name

#: Kind, or the first word of kinds that come for each stage -> what it is for.
PURPOSES: Mapping[str, str] = {
    "kafka": "keeps the messages, read or not, in order within each partition; each group notes how far it has read",
    "redis": "holds Celery's queues, and carries news from workers to the API",
    "azurite": "stores the blobs: uploads, segments, playlists; stands in for Azure",
    "clamd": "scans each upload for viruses before anything opens it",
    "postgres": "holds the database: videos, jobs, leases, the outbox",
    "init": "makes tables, topics and the container once, then ends",
    "api": "takes uploads in chunks, tells how videos stand, serves what plays",
    "keeper": "relays messages from the database to Kafka, and takes work over from dead workers",
    "consumer-preprocessing": "reads video_preprocessing, and puts a task into the queue of the first stage",
    "worker-preprocessing": "scans, probes and normalises a video, then fans it out",
    "consumer": "reads video_processing in a group of its own, and puts a task into the queue of {stage}",
    "worker-thumbnail": "takes the picture that stands for a video",
    "worker": "encodes the rendition {stage}; who finishes last writes the master playlist",
    "web": "serves what plays, and keeps it once it was fetched",
    "jupyter": "runs the notebooks",
    "flower": "shows Celery's workers and tasks",
    "kafka-ui": "shows Kafka's topics and groups",
}


def purpose(kind: str) -> str:
    """The sentence for a kind of process, or for a process. Raises KeyError for one that the table does not know."""
    name = kind_name(kind)
    word, _, stage = name.partition("-")
    return (PURPOSES.get(name) or PURPOSES[word]).format(stage=stage)
