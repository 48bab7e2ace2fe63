"""What the dashboard works out before it draws: its sentence, its lanes, where each dot is, where each box stands."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from vidlab.profiles import stages
from vidlab.programs import find
from vidlab.settings import Settings

SCRIPTS = Path(__file__).parents[2] / "services" / "widgets" / "src" / "dashboard"
TIMES = [f"2026-01-01T00:00:0{second}Z" for second in range(10)]
LADDER = ("144p", "360p", "480p", "720p", "1080p", "thumbnail")


def call(module: str, function: str, *arguments: Any) -> Any:
    """What that function of that module answers, in Node."""
    path = (SCRIPTS / f"{module}.js").as_uri()
    script = f'import {{ {function} }} from "{path}"; import {{ readFileSync }} from "node:fs";'
    script += f"const told = JSON.parse(readFileSync(0)); process.stdout.write(JSON.stringify({function}(...told)));"
    node = [str(find("node", Settings()).path), "--input-type=module", "-e", script]
    return json.loads(
        subprocess.run(node, input=json.dumps(arguments).encode(), capture_output=True, check=True).stdout
    )


def job(name: str, state: str = "waiting", **more: Any) -> dict[str, Any]:
    return {"name": name, "state": state, "attempt": 1, "progress": 0, "worker": None, "finished_at": None} | more


def video(*profiles: dict[str, Any], status: str = "processing", **more: Any) -> dict[str, Any]:
    facts = {"video_hash": "a" * 32, "title": "film", "filename": "film.mp4", "status": status, "steps": []}
    return {**facts, "profiles": list(profiles), "ended_at": None, "finalized_at": None, "error": None} | more


def state(*videos: dict[str, Any], **more: Any) -> dict[str, Any]:
    nothing = {"videos": list(videos), "processes": None, "queues": None, "lag": None, "faults": [], "events": []}
    return {**nothing, "away": {}} | more


def process(name: str, pid: int | None, **more: Any) -> dict[str, Any]:
    kind = name.rsplit(".", 1)[0]
    return {"name": name, "kind": kind, "pid": pid, "state": "running", "restarts": 0, "note": ""} | more


def words(before: dict[str, Any], after: dict[str, Any]) -> str | None:
    told = call("sentence", "sentence", before, after)
    return told and str(told["words"])


RUNNING, DONE = job("360p", "running"), job("360p", "done", finished_at=TIMES[3])
OTHERS = (job("144p", "done", finished_at=TIMES[1]), job("thumbnail", "done", finished_at=TIMES[2]))
OLD, NEW = process("worker-720p.1", 4711), process("worker-720p.1", 5120, restarts=1)
RETRIED = job("720p", "running", attempt=2, worker="worker-720p.2")
KAFKA = {"name": "kafka-down", "target": "kafka", "id": 1}

CHANGES = {
    "360p finished third; the master waits for 720p and 1080p.": (
        state(video(*OTHERS, RUNNING, job("720p"), job("1080p", "queued"))),
        state(video(*OTHERS, DONE, job("720p"), job("1080p", "queued"))),
    ),
    "360p finished last, and so writes the master.": (
        state(video(*OTHERS, RUNNING, job("720p", "skipped"))),
        state(video(*OTHERS, DONE, job("720p", "skipped"))),
    ),
    "worker-720p.2 took 720p of “film”, attempt 2.": (
        state(video(job("720p", "queued"))),
        state(video(RETRIED)),
    ),
    "720p of “film” is free again: its worker is lost, and another will take it.": (
        state(video(job("720p", "running"))),
        state(video(job("720p", "queued"))),
    ),
    "“film” is completed 4.5 s after finalize; 360p was last, and the master is written.": (
        state(video(*OTHERS, DONE)),
        state(
            video(*OTHERS, DONE, status="completed", finalized_at=TIMES[0], ended_at=TIMES[4].replace("04Z", "04.5Z"))
        ),
    ),
    "“film” failed in preprocessing: no video in it": (
        state(video(status="preprocessing")),
        state(video(status="failed", error={"stage": "preprocessing", "reason": "no video in it"})),
    ),
    "“film” is fanned out: one message, read by two groups.": (
        state(video(job("144p"), job("360p"), status="preprocessing")),
        state(video(job("144p"), job("360p"))),
    ),
    "“film” is being uploaded.": (state(), state(video(status="uploading"))),
    "worker-720p.1 is back with a new pid, 5120.": (state(processes=[OLD]), state(processes=[NEW])),
    "worker-720p.1 is down: killed by you.": (
        state(processes=[OLD]),
        state(processes=[process("worker-720p.1", None, state="waiting", note="killed by you")]),
    ),
    "worker-720p.1 is paused: alive, but silent.": (
        state(processes=[OLD]),
        state(processes=[OLD | {"state": "paused"}]),
    ),
    "worker-720p.1 goes on.": (state(processes=[OLD | {"state": "paused"}]), state(processes=[OLD])),
    "worker-720p.2 is new: one more is wanted.": (
        state(processes=[OLD]),
        state(processes=[OLD, process("worker-720p.2", 5)]),
    ),
    "Redis is away; what needs it waits.": (state(), state(away={"redis": "refused"})),
    "Redis is back.": (state(away={"redis": "refused"}), state()),
    "The fault kafka-down has begun: kafka.": (state(), state(faults=[KAFKA])),
    "The fault kafka-down is over.": (state(faults=[KAFKA]), state()),
}


@pytest.mark.parametrize("sentence", CHANGES)
def test_what_just_happened_is_one_sentence(sentence: str) -> None:
    assert words(*CHANGES[sentence]) == sentence


def test_what_only_goes_on_is_no_news() -> None:
    half = state(video(RUNNING | {"progress": 0.5}), processes=[OLD | {"uptime": 2.0}])
    assert words(state(video(RUNNING), processes=[OLD]), half) is None


def test_of_several_changes_the_weightiest_is_told() -> None:
    before = state(video(RUNNING, job("720p", "queued")))
    after = state(video(DONE, job("720p", "running")), away={"kafka": "refused"})
    assert words(before, after) == "Kafka is away; what needs it waits."


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (state(), "The lab is at rest: upload a video, and watch it go."),
        (state(video(DONE, status="completed")), "The lab is at rest; “film” was the last to complete."),
        (state(video(DONE, job("720p", "running"))), "“film”: the master waits for 720p."),
        (state(video(DONE)), "“film”: the master is being written."),
        (state(video(RUNNING), video(RUNNING)), "2 videos are on their way."),
    ],
)
def test_who_only_just_looks_is_told_how_it_stands(known: dict[str, Any], sentence: str) -> None:
    assert call("sentence", "atRest", known) == sentence


# -- lanes


def queues(*names: str) -> list[dict[str, Any]]:
    return [{"queue": f"video_processing_{name}", "waiting": number, "running": 0} for number, name in enumerate(names)]


def test_each_stage_of_the_table_has_its_lane_in_its_order() -> None:
    told = [{"queue": stage.queue, "waiting": 0, "running": 0} for stage in stages()]
    flow = call("lanes", "lanesOf", state(queues=told))
    assert [lane["name"] for lane in flow["lanes"]] == [stage.name for stage in stages()[1:]]
    assert flow["first"]["waiting"] == 0


@pytest.mark.parametrize(
    "told",
    [
        {"queues": queues("144p", "240p", "360p")},
        {"lag": [{"group": f"video_processing_{name}", "messages": 0} for name in ("144p", "240p", "360p")]},
        {"processes": [process(f"worker-{name}.1", 5) for name in ("144p", "240p", "360p")]},
        {"videos": [video(job("144p"), job("240p"), job("360p"))]},
    ],
)
def test_a_profile_that_was_added_has_a_lane_whoever_tells_of_it(told: dict[str, Any]) -> None:
    flow = call("lanes", "lanesOf", state() | told)
    assert [lane["name"] for lane in flow["lanes"]] == ["144p", "240p", "360p"]


def test_a_lane_has_what_is_in_each_of_its_places() -> None:
    lag = [{"group": "video_processing_360p", "messages": 7}]
    crew = [
        process("consumer-144p.1", 9),
        process("consumer-360p.1", 1),
        process("worker-360p.1", 2),
        process("worker-360p.2", 3),
        OLD,
    ]
    lane = call("lanes", "lanesOf", state(queues=queues("144p", "360p"), lag=lag, processes=crew))["lanes"][1]
    assert [lane["behind"], lane["waiting"], len(lane["consumers"]), len(lane["workers"])] == [7, 1, 1, 2]


# -- dots


@pytest.mark.parametrize(
    ("known", "stop"),
    [
        (video(status="uploading"), "api"),
        (video(status="preprocessing", steps=[job("preprocessing", "waiting")]), "topic0"),
        (video(status="preprocessing", steps=[job("preprocessing", "queued")]), "queue0"),
        (video(status="preprocessing", steps=[job("preprocessing", "running")]), "worker0"),
        (video(job("360p", "waiting")), "group"),
        (video(job("360p", "queued")), "queue"),
        (video(job("360p", "running")), "worker"),
        (video(job("360p", "done")), "master"),
        (video(job("360p", "failed")), "master"),
        (video(job("360p", "skipped")), None),
    ],
)
def test_a_dot_stands_where_the_work_is(known: dict[str, Any], stop: str | None) -> None:
    assert [dot["stop"] for dot in call("dots", "dotsOf", state(known), [])] == ([stop] if stop else [])


def test_a_videos_dots_come_from_its_one_dot() -> None:
    before = call("dots", "dotsOf", state(video(status="uploading")), [])
    after = call("dots", "dotsOf", state(video(job("144p"), job("360p"))), [])
    assert [dot["parent"] for dot in after] == [before[0]["id"]] * 2


def test_the_master_has_room_for_those_that_go_on_and_for_the_last_that_ended() -> None:
    ended = [video(DONE, status="completed", video_hash=f"e{n}", ended_at=TIMES[n]) for n in (3, 2, 1)]
    going = [video(RUNNING, video_hash=f"g{n}") for n in (3, 2, 1)]  # as all lists of videos, the newest first
    rows = call("dots", "rowsOf", state(*going, *ended), 4)
    assert [row["video_hash"] for row in rows] == ["e2", "e3", "g1", "g2"]


# -- layout


@pytest.mark.parametrize("width", [700, 870, 1370])
def test_no_box_touches_another_or_sticks_out(width: int) -> None:
    plan = call("layout", "layout", width, LADDER)
    boxes = list(plan["boxes"].values())
    assert len(boxes) == 5 + 2 + 3 * len(LADDER)
    for number, one in enumerate(boxes):
        assert one["x"] > 0
        assert one["x"] + one["w"] < width
        assert one["y"] + one["h"] < plan["height"]
        assert not any(_overlap(one, other) for other in boxes[number + 1 :])


def _overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    return not beside and one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"]


def test_one_more_profile_makes_the_picture_higher_and_moves_nothing_above_it() -> None:
    six, seven = (call("layout", "layout", 900, names) for names in (LADDER, (*LADDER, "240p")))
    assert seven["height"] > six["height"]
    assert {key: box for key, box in seven["boxes"].items() if key in six["boxes"] and "h" in box and "/" in key} == {
        key: box for key, box in six["boxes"].items() if "/" in key
    }


def test_more_dots_than_a_box_has_room_for_are_not_drawn() -> None:
    plan = call("layout", "layout", 900, LADDER)
    box = plan["boxes"]["queue/360p"]
    seats = [call("layout", "seat", plan, "queue", "360p", number) for number in range(12)]
    assert seats[0]
    assert seats[-1] is None
    assert all(box["x"] < seat["x"] < box["x"] + box["w"] - 30 for seat in seats if seat)
