"""Which module does which job."""

from __future__ import annotations

from vidlab.pipeline.complete import complete
from vidlab.pipeline.preprocess import preprocess
from vidlab.pipeline.transcode import transcode
from vidlab.pipeline.work import Step
from vidlab.profiles import MASTER, PREPROCESSING

STEPS: dict[str, Step] = {PREPROCESSING.name: preprocess, MASTER: complete}


def step_for(job: str) -> Step:
    """Every job that is not named in `STEPS` is a profile."""
    return STEPS.get(job, transcode)
