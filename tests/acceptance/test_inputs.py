"""Some of the inputs go through the whole pipeline: what no stage by itself would show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.inputs import HDR, PLAYS, REFUSED
from tests.lab import RunningLab
from vidlab.clips import make_clip

#: Input -> words that must stand in the record of how it was normalised.
COMPLETED = {
    "mp4_av1": "its codec is av1",
    "webm_vp8": "its codec is vp8",
    "joined": "its times jump",
    "turned_and_anamorphic": "turned by 90 degrees",
    "grows": "",
    "pitted": "re-muxed",
    "patches_pq": "its dynamic range is high (PQ): tone-mapped",
}

#: Input -> words of the reason.
FAILED = {
    name: REFUSED[name].words for name in ("zeros", "noise", "zip", "in_the_middle", "too_large_in_secret", "html")
}


def path_of(name: str, folder: Path) -> Path:
    if name in PLAYS:
        return PLAYS[name].make(folder)
    clip = HDR["PQ"] if name == HDR["PQ"].name else REFUSED[name].clip
    return make_clip(clip, folder)


@pytest.fixture(scope="module")
def sent(lab: RunningLab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All are sent at once, so that they wait for each other as videos do."""
    folder = tmp_path_factory.mktemp("sent")
    return {name: lab.send(path_of(name, folder)) for name in (*COMPLETED, *FAILED)}


def record(lab: RunningLab, video: dict[str, Any]) -> str:
    return str(lab.store.video(video["video_hash"]).normalised)


@pytest.mark.parametrize("name", COMPLETED)
def test_it_ends_completed_and_plays(lab: RunningLab, sent: dict[str, str], name: str) -> None:
    video = lab.ended(sent[name])
    assert video["status"] == "completed", video["error"]
    assert lab.played(video).problems == ()
    assert COMPLETED[name] in record(lab, video)


@pytest.mark.parametrize("name", FAILED)
def test_it_ends_failed_with_a_reason(lab: RunningLab, sent: dict[str, str], name: str) -> None:
    video = lab.ended(sent[name])
    assert (video["status"], video["error"]["stage"]) == ("failed", "preprocessing")
    assert FAILED[name] in video["error"]["reason"]
    assert str(lab.settings.state) not in video["error"]["reason"]


def test_a_limit_names_its_setting_in_the_record(lab: RunningLab, sent: dict[str, str]) -> None:
    assert "VIDLAB_MAX_PIXELS" in lab.ended(sent["too_large_in_secret"])["error"]["reason"]
