"""Names and titles that do harm elsewhere do none here: over real HTTP, into storage and back, on both databases."""

from __future__ import annotations

import re
import unicodedata

import httpx

from tests.integration.test_upload import Api, api, problem

__all__ = ["api"]

#: What is sent as the file's name -> the name and the title that are kept.
NAMES = {
    "../../../etc/passwd": ("passwd", "passwd"),
    "..\\..\\windows\\clip.mp4": ("clip.mp4", "clip"),
    "/": ("video", "video"),
    "..": ("video", "video"),
    "exe.\u202e4pm\u2066.mp4": ("exe.4pm.mp4", "exe.4pm"),
    "\u200f\u05e9\u05dc\u05d5\u05dd.mp4": ("\u05e9\u05dc\u05d5\u05dd.mp4", "\u05e9\u05dc\u05d5\u05dd"),
    "one\u2028two.mp4": ("onetwo.mp4", "onetwo"),
    "<script>alert(1)<.mp4": ("<script>alert(1)<.mp4", "<script>alert(1)<"),
    "%2e%2e%2fclip.mp4": ("%2e%2e%2fclip.mp4", "%2e%2e%2fclip"),
    "a'; DROP TABLE videos;--.mp4": ("a'; DROP TABLE videos;--.mp4", "a'; DROP TABLE videos;--"),
    "x" * 1_000 + ".mp4": ("x" * 251 + ".mp4", "x" * 251),
}

#: What is sent as the title -> what is kept.
TITLES = {
    "\x1b[31mred\x00\r\nSet-Cookie: a=b": "[31mredSet-Cookie: a=b",
    "\u202e\u05d0\u05d1\u202c": "\u05d0\u05d1",
    "../../AC/DC": "../../AC/DC",
    "\u200b\u200f \u2066": "clip",
    "{why!r} %s %(x)s ${HOME}": "{why!r} %s %(x)s ${HOME}",
    "\U0001d518 \U0001f3ac": "\U0001d518 \U0001f3ac",
}


def raw_upload(api: Api, filename: str) -> httpx.Response:
    """A form as a stranger writes it: the name stands in it byte for byte."""
    fields = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {"chunk": 0, "total_chunks": 1}.items()
    )
    part = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\nbytes\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return api.http.post("/videos/upload", content=(fields + part).encode(), headers=headers)


def told(api: Api, answer: httpx.Response) -> dict[str, object]:
    assert answer.status_code == 200, answer.text
    finalized = api.finalize(answer.json()["video_hash"])
    assert finalized.status_code == 200, finalized.text
    return dict(finalized.json())


def test_a_name_is_only_a_name(api: Api) -> None:
    videos = {name: told(api, raw_upload(api, name)) for name in NAMES}
    assert {name: (video["filename"], video["title"]) for name, video in videos.items()} == NAMES
    stored = api.storage.list_paths("")
    assert sorted(path.partition("/original.")[0] for path in stored) == sorted(
        str(video["video_hash"]) for video in videos.values()
    )
    assert all(re.fullmatch(r"[0-9a-f-]+/original\.[a-z0-9]{1,8}", path) for path in stored)


def test_a_title_is_kept_without_what_is_not_shown(api: Api) -> None:
    kept = {title: told(api, api.send(0, b"bytes", 1, title=title))["title"] for title in TITLES}
    assert kept == TITLES
    listed = api.http.get("/videos")
    assert listed.status_code == 200
    assert {unicodedata.category(char) for char in listed.text} & {"Cc", "Cf", "Zl", "Zp"} == set()


def test_ten_thousand_characters_are_refused_and_store_nothing(api: Api) -> None:
    found = problem(api.send(0, b"bytes", 1, title="t" * 10_000), 422)
    assert "`title` has 10000 characters, and at most 200 are taken" in found["detail"]
    assert "Nothing was stored" in problem(raw_upload(api, "x" * 10_000 + ".mp4"), 422)["detail"]
    assert api.storage.list_paths("") == []
