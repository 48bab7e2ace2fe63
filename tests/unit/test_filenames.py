from __future__ import annotations

import pytest

from vidlab.filenames import MAX_LENGTH, clean_filename, clean_title, extension_of, title_from


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("clip.mp4", "clip.mp4"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\me\clip.mp4", "clip.mp4"),
        ("a\x00b\r\nc.mp4", "abc.mp4"),
        ("exe.\u202e4pm", "exe.4pm"),
        ("", "video"),
        ("folder/", "video"),
        ("Überblick.mp4", "Überblick.mp4"),
        ("..", "video"),
        ("films/..", "video"),
        ("\u202e..\u2066", "video"),
        ("one\u2028two\u2029.mp4", "onetwo.mp4"),
        ("\x1b[31mred\x7f\x9b.mp4", "[31mred.mp4"),
        ("\u200f\u05e9\u05dc\u05d5\u05dd\u200e.mp4", "\u05e9\u05dc\u05d5\u05dd.mp4"),
        ("\ud800lone.mp4", "lone.mp4"),
        ("CON:$(rm -rf x);`id`|'\".mp4", "CON:$(rm -rf x);`id`|'\".mp4"),
        ("x" * 10_000 + ".mp4", "x" * 251 + ".mp4"),
        ("\u202e" * 10_000, "video"),
    ],
)
def test_a_filename_is_a_name_alone(sent: str, kept: str) -> None:
    assert clean_filename(sent) == kept


def test_a_long_filename_keeps_its_ending() -> None:
    kept = clean_filename("x" * 1000 + ".mp4")
    assert len(kept) == MAX_LENGTH
    assert kept.endswith(".mp4")


def test_a_title_keeps_its_slashes_and_loses_control_characters() -> None:
    assert clean_title(" AC/DC\tlive\n") == "AC/DClive"


@pytest.mark.parametrize(
    ("filename", "extension"),
    [
        ("a.MP4", "mp4"),
        ("a", "bin"),
        ("a.", "bin"),
        ("a.m%p", "bin"),
        ("a.éa", "bin"),
        ("a.123456789", "bin"),
        (".mp4", "bin"),
    ],
)
def test_the_extension_is_safe_in_a_path(filename: str, extension: str) -> None:
    assert extension_of(filename) == extension


def test_a_title_from_a_filename() -> None:
    assert title_from("holiday.2026.mp4") == "holiday.2026"
