"""What is known of a video, and what follows from it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from tests.media import PLAIN, plain
from vidlab.containers import is_text, mime_type
from vidlab.media import Media
from vidlab.profiles import Size


def test_media_is_the_same_after_json() -> None:
    assert Media.from_json(json.loads(json.dumps(PLAIN.as_json()))) == PLAIN


@pytest.mark.parametrize(
    ("rate", "made"),
    [
        ("25/1", "25"),
        ("24000/1001", "24000/1001"),
        ("60/1", "60"),
        ("120/1", "60"),
        ("144/1", "48"),
        ("120000/1001", "60000/1001"),
        ("1/4", "10"),
        ("15/2", "15"),
    ],
)
def test_the_output_rate_keeps_motion_even(rate: str, made: str) -> None:
    assert plain(frame_rate=rate).output_rate(60.0) == Fraction(made)


@pytest.mark.parametrize(
    ("size", "even"), [(Size(321, 181), Size(320, 180)), (Size(1, 9), Size(2, 8)), (Size(16, 16), Size(16, 16))]
)
def test_the_even_size_is_never_larger(size: Size, even: Size) -> None:
    assert plain(size=size).even_size == even


@pytest.mark.parametrize(
    ("transfer", "primaries", "hdr", "wide"),
    [
        ("bt709", "bt709", None, False),
        ("smpte2084", "bt2020", "PQ", True),
        ("arib-std-b67", "bt2020", "HLG", True),
        ("bt709", "bt2020", None, True),
    ],
)
def test_colours_are_named(transfer: str, primaries: str, hdr: str | None, wide: bool) -> None:
    media = plain(colour_transfer=transfer, colour_primaries=primaries)
    assert (media.hdr, media.wide) == (hdr, wide)


def test_text_is_told_from_media() -> None:
    assert is_text("A sentence with an Umlaut: \u00e4\r\n".encode())
    assert is_text("caf\u00e9".encode("latin-1"))
    assert not is_text(b"\x00\x00\x00\x20ftypisom")


@pytest.mark.parametrize(
    ("names", "brand", "content", "expected"),
    [
        ("mov,mp4,m4a,3gp,3g2,mj2", "isom", b"", "video/mp4"),
        ("mov,mp4,m4a,3gp,3g2,mj2", "qt  ", b"", "video/quicktime"),
        ("mov,mp4,m4a,3gp,3g2,mj2", "3gp5", b"", "video/3gpp"),
        ("matroska,webm", "", b"\x1a\x45\xdf\xa3..\x42\x82\x84webm", "video/webm"),
        ("matroska,webm", "", b"\x1a\x45\xdf\xa3..\x42\x82\x88matroska", "video/x-matroska"),
        ("mpegts", "", b"G", "video/mp2t"),
    ],
)
def test_the_mime_type_is_that_of_the_content(
    tmp_path: Path, names: str, brand: str, content: bytes, expected: str
) -> None:
    path = tmp_path / "anything.mp4"
    path.write_bytes(content)
    assert mime_type(path, {"format_name": names, "tags": {"major_brand": brand}}) == expected
