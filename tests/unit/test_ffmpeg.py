"""What FFmpeg says is put into numbers and into words for people."""

from __future__ import annotations

import subprocess

import pytest

from vidlab.child import Child, Limits, never
from vidlab.ffmpeg import Meter, Progress, telling


def block(**values: str) -> list[str]:
    return [f"{key}={value}" for key, value in values.items()]


def read(meter: Meter, lines: list[str]) -> list[Progress]:
    return [progress for line in lines if (progress := meter.read(line))]


def test_progress_is_read_block_by_block() -> None:
    meter = Meter(10.0)
    lines = [
        *block(frame="0", out_time_us="N/A", speed="N/A", progress="continue"),
        *block(frame="60", out_time_us="2500000", speed=" 1.25x", progress="continue"),
        *block(frame="300", out_time_us="12500000", speed="1.3x", progress="continue"),
        *block(frame="300", out_time_us="10000000", speed="1.3x", progress="end"),
    ]
    assert read(meter, lines) == [
        Progress(fraction=0.0, speed=None),
        Progress(fraction=0.25, speed=1.25),
        Progress(fraction=1.0, speed=1.3),
        Progress(fraction=1.0, speed=1.3),
    ]


def test_without_a_duration_only_the_end_is_known() -> None:
    lines = [*block(out_time_us="2500000", progress="continue"), *block(out_time_us="3000000", progress="end")]
    assert [progress.fraction for progress in read(Meter(None), lines)] == [0.0, 1.0]


def ended(code: int, *complaints: str) -> Child:
    process = subprocess.Popen(["true"])
    process.wait()
    process.returncode = code
    child = Child(process=process, limits=Limits(memory_bytes=1, seconds=1), stopping=never)
    child.complaints.extend(complaints)
    return child


def test_folders_of_this_machine_are_nobodys_business() -> None:
    child = ended(1, "/scratch/worker.1/original.mp4: End of file")
    child.process.args = ["ffprobe", "-i", "/scratch/worker.1/original.mp4"]
    assert telling(child) == "original.mp4: End of file"


@pytest.mark.parametrize(
    ("code", "complaints", "why"),
    [
        (1, ["[mov @ 0x1] [error] moov atom not found", "x.mp4: Invalid data found"], "its index is missing"),
        (228, ["[hls @ 0x1] [error] Error writing trailer: No space left on device"], "the disk is full"),
        (255, [], "ended from outside (by a signal)"),
        (255, ["[out#0 @ 0x1] [error] x.mp4: Operation not permitted"], "Operation not permitted"),
        (-9, [], "ended from outside (SIGKILL)"),
        (-11, ["[warning] something"], "it crashed (SIGSEGV)"),
        (8, ["[AVFilterGraph @ 0x1] [error] No such filter: 'x'", "[error] Conversion failed!"], "No such filter: 'x'"),
        (1, [], "it did not say why"),
    ],
)
def test_a_failure_is_put_into_words(code: int, complaints: list[str], why: str) -> None:
    assert why in telling(ended(code, *complaints))
