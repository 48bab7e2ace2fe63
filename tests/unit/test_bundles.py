"""The widgets' bundles: they are built whole, the API serves them, and the wheel carries them."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from unittest.mock import Mock

import pytest
from pydantic import SecretStr

from tests.unit.asgi import Http
from vidlab import bundles
from vidlab.api.app import create_app
from vidlab.bundles import BUNDLES, read_bundle
from vidlab.errors import PartMissing
from vidlab.lab.bundling import FILES, bundle
from vidlab.settings import Settings

ROOT = Path(__file__).parents[2]
WIDGETS = sorted(path.parent.name for path in FILES.glob("src/*/index.js"))


@pytest.fixture
def http(tmp_path: Path) -> Http:
    settings = Settings(state=tmp_path, api_token=SecretStr("secret"))
    return Http(create_app(settings, Mock(), Mock()))


# -- built


def test_each_widget_has_a_module_and_a_style_sheet(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "old.js").touch()
    names = bundle(Settings(), tmp_path / "static")
    assert names == [*WIDGETS, "plotly-basic"]
    made = {path.name for path in (tmp_path / "static").iterdir()}
    both = {f"{name}.{ending}" for name in WIDGETS for ending in ("js", "css")}
    assert made == both | {"plotly-basic.js", "bundles.json"}


@pytest.mark.parametrize("name", WIDGETS)
def test_a_bundle_asks_nobody_for_more(name: str) -> None:
    """It works without a network, and its style touches nothing but the widget."""
    script, style = read_bundle(f"{name}.js"), read_bundle(f"{name}.css")
    assert re.findall(r"""(?:^|[;}\n])import[\s{*"']""", script) == []
    assert re.findall(r"url\((?!\"?data:)|@import", style) == []
    rules = re.findall(r"(?:^|[{}])\s*([^@{};]+)\{", re.sub(r"/\*.*?\*/", "", style, flags=re.S))
    selectors = [one for rule in rules for one in re.split(r",(?![^(]*\))", rule)]
    assert selectors
    assert [one for one in selectors if ".vidlab" not in one] == []


def test_one_that_was_not_built_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "BUNDLES", tmp_path)
    with pytest.raises(PartMissing, match=r"upload\.js is not there") as caught:
        read_bundle("upload.js")
    assert caught.value.advice == "make setup"


def test_the_wheel_carries_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        for path in BUNDLES.iterdir():
            assert opened.read(f"vidlab/widgets/static/{path.name}") == path.read_bytes()


# -- served


def test_a_page_of_this_machine_imports_plotly_without_the_token(http: Http) -> None:
    answer = http.get("/bundles/plotly-basic.js", headers={"Origin": "http://localhost:8888"})
    assert (answer.status_code, answer.content) == (200, (BUNDLES / "plotly-basic.js").read_bytes())
    assert "javascript" in answer.headers["content-type"]
    assert answer.headers["access-control-allow-origin"] == "http://localhost:8888"
    assert answer.headers["cache-control"] == "no-cache"
    known = http.get("/bundles/plotly-basic.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize("path", ["nothing.js", "../bundles.py", "%2e%2e/base.py", ""])
def test_nothing_else_is_served(http: Http, path: str) -> None:
    assert http.get(f"/bundles/{path}").status_code in (401, 404)


def test_bundles_that_were_not_built_are_told(http: Http, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("vidlab.api.bundles.WHOLE", tmp_path / "bundles.json")
    answer = http.get("/bundles/plotly-basic.js")
    assert (answer.status_code, answer.json()["hint"]) == (500, "make setup")


# -- clips


TOKEN = {"Authorization": "Bearer secret"}


def test_clips_are_offered_to_who_has_the_token(http: Http) -> None:
    assert http.get("/clips").status_code == http.get("/clips/text").status_code == 401
    offered = http.get("/clips", headers=TOKEN).json()
    assert offered[0]["name"] == "sample"
    assert all(one["what"] for one in offered)


def test_a_clips_bytes_are_those_of_its_file(http: Http, tmp_path: Path) -> None:
    answer = http.get("/clips/tiny", headers=TOKEN)
    assert answer.status_code == 200
    assert answer.content == (tmp_path / "clips" / "tiny.mp4").read_bytes()
    assert "video/mp4" in answer.headers["content-type"]


@pytest.mark.parametrize("name", ["nothing", "bench", "..%2fvidlab.db"])
def test_a_clip_that_is_not_offered_is_not_there(http: Http, name: str) -> None:
    assert http.get(f"/clips/{name}", headers=TOKEN).status_code == 404
