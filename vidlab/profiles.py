"""The table of profiles, and the names of queues, groups, topics and columns that follow from it.

Adding a rendition is one line in `PROFILES`. Everything else is derived: the consumer and the worker, the consumer
group, the Celery queue, the column of the `videos` table, its migration, and the line in the master playlist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Topic:
    """The two Kafka topics; each has a dead letter topic beside it."""

    PREPROCESSING = "video_preprocessing"
    PROCESSING = "video_processing"


TOPICS = (Topic.PREPROCESSING, Topic.PROCESSING)
PARTITIONS = 6  # of each topic; the key is the video_hash


def dead_letter_topic(topic: str) -> str:
    """Where messages go that no one can read."""
    return f"{topic}.dead"


class Size(NamedTuple):
    """A picture's size in pixels."""

    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A step of the pipeline with a consumer group, a Celery queue and workers of its own."""

    name: str
    topic: str
    group: str
    queue: str


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One rung of the ladder, or the thumbnail (`height` None)."""

    name: str
    #: Lines of the 16:9 box that the picture is scaled into; None makes one JPEG instead of a stream.
    height: int | None = None
    #: Cap of the video's bit rate over the buffer, kbit/s (capped CRF).
    max_kbps: int = 0
    #: AAC bit rate, kbit/s.
    audio_kbps: int = 0

    @property
    def column(self) -> str:
        """The done column in `videos`, named as in the reference system."""
        return f"profile_{self.name}_done" if self.height else f"{self.name}_done"

    @property
    def stage(self) -> Stage:
        name = f"{Topic.PROCESSING}_{self.name}"
        return Stage(name=self.name, topic=Topic.PROCESSING, group=name, queue=name)

    def box(self, source: Size) -> Size:
        """The 16:9 box of this rung, turned upright for an upright source."""
        lines = self.height or 0
        long_side = _even(lines * 16 / 9)
        return Size(lines, long_side) if source.height > source.width else Size(long_side, lines)

    def fit(self, source: Size) -> Size:
        """The source's size scaled into the box: never larger, aspect ratio kept, both sides even."""
        box = self.box(source)
        scale = min(box.width / source.width, box.height / source.height, 1)
        width, height = _even(source.width * scale), _even(source.height * scale)
        return Size(max(2, min(width, source.width // 2 * 2)), max(2, min(height, source.height // 2 * 2)))


def _even(length: float) -> int:
    """The nearest even number: 4:2:0 chroma needs even sides."""
    return round(length / 2) * 2


#: The ladder, lowest first. The caps follow Apple's HLS authoring table, rounded to this ladder's sizes.
PROFILES: tuple[Profile, ...] = (
    Profile(name="144p", height=144, max_kbps=200, audio_kbps=64),
    Profile(name="360p", height=360, max_kbps=800, audio_kbps=96),
    Profile(name="480p", height=480, max_kbps=1_400, audio_kbps=128),
    Profile(name="720p", height=720, max_kbps=2_800, audio_kbps=128),
    Profile(name="1080p", height=1080, max_kbps=5_000, audio_kbps=192),
    Profile(name="thumbnail"),
)

PREPROCESSING = Stage(name="preprocessing", topic=Topic.PREPROCESSING, group=Topic.PREPROCESSING, queue="preprocessing")

#: The job that writes the master playlist. It has no topic: whoever finishes last takes it, and when that one dies
#: the keeper sends it to the preprocessing queue, whose workers exist whatever the ladder is.
MASTER = "master"


def stages(profiles: tuple[Profile, ...] | None = None) -> tuple[Stage, ...]:
    """Preprocessing and each profile, in the order of a video's way."""
    return (PREPROCESSING, *(profile.stage for profile in (PROFILES if profiles is None else profiles)))


def queue_of(job: str) -> str:
    """The Celery queue of a job: a stage's name, or `MASTER`."""
    return {stage.name: stage.queue for stage in stages()}.get(job, PREPROCESSING.queue)


def profile_named(name: str) -> Profile:
    """The profile of that name. Raises KeyError."""
    return {profile.name: profile for profile in PROFILES}[name]


def skip_reason(profile: Profile, source: Size, ladder: tuple[Profile, ...] | None = None) -> str | None:
    """Why a rung does not apply to a source of that size, or None when it does.

    A rung applies when the source reaches its box's height or its width. The lowest always does.
    """
    rungs = sorted((p for p in (PROFILES if ladder is None else ladder) if p.height), key=lambda p: p.height or 0)
    if not profile.height or profile == rungs[0]:
        return None
    box = profile.box(source)
    if source.width >= box.width or source.height >= box.height:
        return None
    return f"the source has {min(source)} lines"
