"""Runs of a real ffmpeg end when they should, whoever ends them."""

from __future__ import annotations

import itertools
import os
import shlex
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from vidlab.errors import FFmpegFailed, HandedBack, TooDemanding
from vidlab.ffmpeg import Progress, run
from vidlab.programs import ffmpeg_path
from vidlab.settings import Settings


def endless(seconds: int = 60) -> list[str]:
    """A command that takes as long as what it draws lasts."""
    words = "-nostdin -loglevel level+warning -nostats -progress pipe:1 -stats_period 0.2"
    source = f"-re -f lavfi -i testsrc2=size=64x64:duration={seconds} -f null -"
    return [ffmpeg_path(Settings()), *shlex.split(f"{words} {source}")]


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "ffmpeg" in child.name()]


def test_progress_rises_to_the_end() -> None:
    told: list[Progress] = []
    run(endless(2), Settings(), duration=2.0, on_progress=told.append)
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert any(0.1 < fraction < 0.9 for fraction in fractions)
    assert (told[-1].speed or 0) > 0


def test_the_command_is_logged_as_it_can_be_pasted() -> None:
    with capture_logs() as logs:
        run(endless(0), Settings())
    assert shlex.split(logs[0]["command"]) == endless(0)


def test_it_ends_at_the_time_limit() -> None:
    with pytest.raises(TooDemanding, match=r"not done after 0\.5 s \(VIDLAB_FFMPEG_TIMEOUT_SECONDS\)"):
        run(endless(), Settings(ffmpeg_timeout_seconds=0.5))
    assert children() == []


def test_it_ends_when_it_is_to_stop() -> None:
    reason = HandedBack(stage="360p", video_hash="abc")
    going: list[Progress] = []
    with pytest.raises(HandedBack) as caught:
        run(endless(), Settings(), on_progress=going.append, stopping=lambda: reason if going else None)
    assert caught.value is reason
    assert children() == []


def test_it_ends_when_telling_the_progress_fails() -> None:
    def fail(_: Progress) -> None:
        raise KeyError("no lease")

    with pytest.raises(KeyError):
        run(endless(), Settings(), on_progress=fail)
    assert children() == []


def test_a_signal_to_the_whole_group_is_put_down_to_its_reason() -> None:
    """`down` signals ffmpeg too, and ffmpeg may end before its worker has understood."""
    asked = itertools.count()

    def down(_: Progress) -> None:
        for child in children():
            child.terminate()

    def stopping() -> BaseException | None:
        """Understands when ffmpeg is gone, and not at once."""
        return HandedBack(stage="360p", video_hash="abc") if not children() and next(asked) else None

    with pytest.raises(HandedBack):
        run(endless(), Settings(), on_progress=down, stopping=stopping)


@pytest.mark.parametrize(("number", "name"), [(signal.SIGTERM, "by a signal"), (signal.SIGKILL, "SIGKILL")])
def test_a_signal_from_nobody_known_is_told(number: signal.Signals, name: str) -> None:
    def send(_: Progress) -> None:
        for child in children():
            child.send_signal(number)

    with pytest.raises(FFmpegFailed, match=f"ended from outside \\({name}\\)"):
        run(endless(), Settings(), on_progress=send)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_it_ends_when_its_parent_is_killed() -> None:
    script = f"""
        from vidlab.ffmpeg import run
        from vidlab.settings import Settings
        run({endless()!r}, Settings(), on_progress=lambda _: print("going", flush=True))
    """
    home = Path(__file__).parents[2]
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, env=os.environ) as parent:
        assert parent.stdout
        while "going" not in parent.stdout.readline().decode():
            pass
        (ffmpeg,) = psutil.Process(parent.pid).children()
        parent.kill()
    _, alive = psutil.wait_procs([ffmpeg], timeout=5)
    assert alive == []
