"""Chromium is the system's, else the one that the set-up unpacked, else it is said what to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from services import environment as setup
from vidlab.errors import PartMissing
from vidlab.lab import chromium, debian
from vidlab.lab.cache import Report
from vidlab.settings import Settings

PRINTS = "#!/bin/sh\necho 'Chromium 156.0.8078.79 built on Debian'\n"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(chromium, "NAMES", (str(tmp_path / "bin" / "chromium"),))
    return Settings(cache=tmp_path / "cache")


def put(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(PRINTS)
    path.chmod(0o755)


def unpack(package: str, into: Path, report: Report, also: tuple[str, ...]) -> None:
    """What Debian's packages would bring."""
    assert (package, "chromium-common" in also) == ("chromium", True)
    put(into / chromium.PROGRAM)
    (into / "usr" / "lib" / "nss").mkdir()
    (into / "usr" / "lib" / "nss" / "libsoftokn3.so").touch()


def test_the_systems_comes_first(settings: Settings, tmp_path: Path) -> None:
    put(tmp_path / "bin" / "chromium")
    put(chromium.cached(settings) / chromium.PROGRAM)
    found = chromium.bring(settings)
    assert (found.source, found.path) == ("system", tmp_path / "bin" / "chromium")
    assert chromium.environment(found) == {}


def test_where_there_is_none_debians_is_unpacked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "is_debian", lambda: True)
    monkeypatch.setattr(debian, "unpack", unpack)
    found = chromium.bring(settings)
    assert (found.source, chromium.chromium_version(found)) == ("cache", "156.0.8078.79")
    given = chromium.environment(found)
    assert str(chromium.cached(settings) / "usr" / "lib" / "nss") in given["LD_LIBRARY_PATH"].split(":")
    assert f"<dir>{chromium.cached(settings)}/usr/share/fonts</dir>" in Path(given["FONTCONFIG_FILE"]).read_text()


def test_elsewhere_it_is_said_what_to_do(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(debian, "is_debian", lambda: False)
    monkeypatch.setenv("VIDLAB_CACHE", str(settings.cache))
    with pytest.raises(PartMissing):
        chromium.find_chromium(settings)
    assert chromium.main() == 0  # the set-up goes on: only the tests in the browser are skipped
    assert "to do: Install Chromium" in capsys.readouterr().out


def test_the_setup_sees_when_it_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "CHROMIUM", tmp_path / "stamp")
    assert not setup.has_chromium()
    (tmp_path / "stamp").write_text(str(tmp_path / "stamp"))
    assert setup.has_chromium()
    (tmp_path / "stamp").write_text(str(tmp_path / "gone"))
    assert not setup.has_chromium()
