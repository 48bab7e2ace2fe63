"""Every good clip goes through all commands of a real FFmpeg and plays; every bad one is refused with a reason."""

from __future__ import annotations

import shlex
import socket
import struct
import subprocess
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.media import Made, complaints_of, made_ahead, make_all, probed
from vidlab import clips as table
from vidlab.errors import FFmpegFailed, NotAVideo
from vidlab.ffmpeg import run
from vidlab.hls import measure
from vidlab.normalise import normalise_command, normalise_plan
from vidlab.playback import check_playback, from_folder
from vidlab.probe import ffprobe_command, probe
from vidlab.profiles import Size, profile_named
from vidlab.programs import ffmpeg_path
from vidlab.renditions import rendition_command, thumbnail_command
from vidlab.settings import Settings

#: Those that play, less the two that take long; the acceptance tests take the large one.
GOOD = [clip.name for clip in table.GOOD if clip.name not in ("bench", "landscape")]

#: Clip -> the sizes of its 144p and 360p, never larger than itself.
SIZES = {
    "tiny": [(256, 144), (320, 180)],
    "portrait": [(144, 256), (360, 640)],
    "rotated": [(144, 256), (360, 640)],
    "odd": [(256, 144), (320, 180)],
    "wide": [(256, 106), (480, 200)],
    "anamorphic": [(256, 144), (512, 288)],
    "interlaced": [(180, 144), (360, 288)],
    "speck": [(16, 16), (16, 16)],
}

#: Clip -> frames a second and the segments' seconds.
TIMES = {
    "film": ("24000/1001", [6.006, 6.006, 1.001]),
    "pal": ("25/1", [6.0, 6.0, 1.0]),
    "thirty": ("30/1", [6.0, 6.0, 1.0]),
    "sixty": ("60/1", [6.0, 6.0, 1.0]),
    "fast": ("60/1", [3.0]),
    "slow": ("10/1", [6.0, 6.0, 4.0]),
    "variable": ("60/1", [6.0, 6.0, 1.0]),
    "blink": ("24/1", [0.416667]),
    "frame": ("24/1", [0.041667]),
    "long_sound": ("24/1", [6.0, 2.0]),
    "late_sound": ("24/1", [6.0, 2.0]),
    "late_picture": ("24/1", [6.0, 2.0]),
    "webm": ("24/1", [3.0]),
}

#: Clip -> words of the reason why source.mp4 was encoded anew.
ENCODED = {
    "rotated": "turned by 90 degrees",
    "odd": "yuv444p; its size is odd (321x181)",
    "anamorphic": "pixels are not square (64:45)",
    "ten_bit": "10 bits",
    "hdr": "dynamic range is high (PQ)",
    "interlaced": "interlaced",
    "webm": "vp9",
    "avi": "mpeg4",
    "avi_h264": "frames have no times",
}

REFUSED = {
    "audio_only": "it holds sound, but no moving picture",
    "cover_art": "it holds sound, but no moving picture",
    "text": "it is text",
    "playlist": "it is text",
    "empty": "it is empty",
    "truncated": "its index is missing (moov atom not found)",
    "cut_off": "it is cut off: it ends after 4.",
    "damaged": "its picture cannot be decoded",
}

Maker = Callable[[str], Made]


@pytest.fixture(scope="module")
def made(clips: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Maker]:
    """Takes a clip through all commands, once."""
    folder = tmp_path_factory.mktemp("made")
    with made_ahead(lambda name: make_all(table.make(name, clips), folder), request) as maker:
        yield maker


# -- every clip that can be played -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOOD)
def test_a_good_clip_plays_in_each_rendition_alike_and_nothing_is_complained_about(made: Maker, name: str) -> None:
    clip = made(name)
    assert clip.playback.problems == ()
    assert len(clip.playback.renditions) == 2
    assert clip.complaints == ()


@pytest.mark.parametrize("name", GOOD)
def test_sizes_are_even_square_and_never_larger_than_the_source(made: Maker, name: str) -> None:
    clip = made(name)
    for played in clip.playback.renditions:
        assert played.width % 2 == played.height % 2 == 0
        assert played.width <= clip.original.size.width
        assert played.height <= clip.original.size.height
        (stream,) = probed(clip.folder / played.uri.replace("playlist.m3u8", "segment_000.ts"), "-show_streams")[
            "streams"
        ][:1]
        assert (stream["sample_aspect_ratio"], stream["pix_fmt"]) == ("1:1", "yuv420p")
        assert (stream["color_space"], stream["color_transfer"], stream["color_range"]) == ("bt709", "bt709", "tv")


@pytest.mark.parametrize("name", GOOD)
def test_what_is_declared_equals_the_files(made: Maker, name: str) -> None:
    clip = made(name)
    for played in clip.playback.renditions:
        stream = clip.streams[played.uri.partition("/")[0]]
        on_disk = [(clip.folder / played.uri).with_name(segment.name).stat().st_size for segment in stream.segments]
        assert [segment.bytes for segment in stream.segments] == on_disk
        assert stream.bytes == sum(on_disk) == played.bytes
        assert abs(stream.average_bandwidth - sum(on_disk) * 8 / played.duration) <= 1
        assert (played.bandwidth, played.average_bandwidth) == (stream.bandwidth, stream.average_bandwidth)


@pytest.mark.parametrize("name", GOOD)
def test_the_thumbnail_is_a_picture_of_the_right_shape(made: Maker, name: str) -> None:
    clip = made(name)
    assert clip.thumbnail.read_bytes().startswith(b"\xff\xd8")
    size = clip.media.size
    command = [ffmpeg_path(Settings()), "-hide_banner", "-i", str(clip.thumbnail)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    box = Size(360, 640) if size.height > size.width else Size(640, 360)
    scale = min(box.width / size.width, box.height / size.height, 1)
    assert f"{int(size.width * scale + 1e-6) // 2 * 2}x{int(size.height * scale + 1e-6) // 2 * 2}" in told


@pytest.mark.parametrize("name", SIZES)
def test_the_size_is_that_of_the_upright_picture_in_the_box(made: Maker, name: str) -> None:
    assert [(played.width, played.height) for played in made(name).playback.renditions] == SIZES[name]


@pytest.mark.parametrize("name", TIMES)
def test_rate_and_segments_are_as_they_should_be(made: Maker, name: str) -> None:
    rate, durations = TIMES[name]
    for stream in made(name).streams.values():
        assert stream.frame_rate == rate
        assert [segment.duration for segment in stream.segments] == pytest.approx(durations, abs=0.001)


@pytest.mark.parametrize("name", [name for name, (_, durations) in TIMES.items() if len(durations) > 1])
def test_key_frames_are_the_same_in_all_renditions_and_lie_on_the_grid(made: Maker, name: str) -> None:
    clip = made(name)
    found = {rung: key_frames(clip, rung) for rung in clip.streams}
    assert found["144p"] == found["360p"]
    rate, begin = clip.playback.renditions[0].frame_rate, found["144p"][0]
    expected = range(0, round(clip.streams["144p"].duration), 2)
    assert [time - begin for time in found["144p"]] == pytest.approx(list(expected), abs=1 / rate)


def key_frames(clip: Made, rung: str) -> list[float]:
    """When the key frames of a rendition are shown."""
    what = ("-select_streams", "v:0", "-show_entries", "packet=pts_time,flags")
    segments = range(len(clip.streams[rung].segments))
    packets = [packet for number in segments for packet in probed(clip.segment(rung, number), *what)["packets"]]
    return [float(packet["pts_time"]) for packet in packets if "K" in packet["flags"]]


@pytest.mark.parametrize("name", GOOD)
def test_a_source_is_encoded_only_when_it_must_be_and_needs_nothing_afterwards(made: Maker, name: str) -> None:
    clip = made(name)
    assert clip.plan.action == ("encode" if name in ENCODED else "remux")
    assert ENCODED.get(name, "already") in str(clip.plan)
    assert normalise_plan(clip.media, "auto").action == "remux"
    assert clip.media.duration == pytest.approx(clip.original.duration, abs=0.1)


def test_a_codec_string_says_what_the_stream_is(made: Maker) -> None:
    assert {stream.codecs for stream in made("silent").streams.values()} <= {"avc1.64000c", "avc1.64000d"}
    assert {stream.codecs.partition(",")[2] for stream in made("tiny").streams.values()} == {"mp4a.40.2"}


# -- pictures --------------------------------------------------------------------------------------------------------

#: The drawn picture's stripes, from one side to the other.
STRIPES = [(255, 0, 0), (0, 255, 0), (255, 255, 0), (0, 0, 255), (255, 0, 255), (0, 255, 255)]


def pixels(path: Path, places: list[tuple[float, float]]) -> list[tuple[int, ...]]:
    """The colours at some places (shares of width and height) of a frame in the first second."""
    side = 120
    scale = f"scale={side}:{side}:in_color_matrix=bt709:flags=area,format=rgb24"
    command = [ffmpeg_path(Settings()), "-loglevel", "error", "-i", str(path), "-vf", scale, "-frames:v", "1"]
    frame = subprocess.run([*command, "-f", "rawvideo", "-"], capture_output=True, check=True).stdout
    starts = [3 * (round(y * side) * side + round(x * side)) for x, y in places]
    return [tuple(frame[start : start + 3]) for start in starts]


def is_near(found: tuple[int, ...], wanted: tuple[int, ...], by: int = 40) -> bool:
    return all(abs(one - other) <= by for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize("name", ["tiny", "portrait", "ten_bit", "anamorphic", "interlaced", "wide", "odd"])
def test_colours_come_out_as_they_were(made: Maker, name: str) -> None:
    places = [((2 * stripe + 1) / 12, 0.95) for stripe in range(5)]  # of the sixth, shapes cover the foot
    found = pixels(made(name).segment("360p"), places)
    assert all(is_near(*pair) for pair in zip(found, STRIPES, strict=False)), found


def test_a_turned_picture_comes_out_upright(made: Maker) -> None:
    """Turned to the right by a quarter, the left stripe, red, is at the top."""
    places = [(0.06, (2 * stripe + 1) / 12) for stripe in range(4)]
    found = pixels(made("rotated").segment("360p"), places)
    assert all(is_near(*pair) for pair in zip(found, STRIPES, strict=False)), found


def test_renditions_put_right_what_normalising_was_forbidden_to(clips: Path, tmp_path: Path) -> None:
    clip, source, settings = table.make("rotated", clips), tmp_path / "source.mp4", Settings(normalise="never")
    media = probe(clip, settings)
    run(normalise_command(clip, source, media, normalise_plan(media, "never"), settings), settings)
    kept = probe(source, settings)
    assert (kept.rotation, kept.coded_size) == (90, Size(640, 360))
    run(rendition_command(source, tmp_path, profile_named("144p"), kept, settings), settings)
    stream = measure(tmp_path, settings)
    assert (stream.width, stream.height) == (144, 256)
    (red,) = pixels(tmp_path / "segment_000.ts", [(0.06, 1 / 12)])
    assert is_near(red, STRIPES[0])


def test_high_dynamic_range_is_not_washed_out(made: Maker) -> None:
    """Relabelled only, red would be a greyish pink; mapped, it is a red that is darker than a lamp's."""
    clip = made("hdr")
    (red, *_) = pixels(clip.segment("360p"), [(1 / 12, 0.9)])
    assert red[0] > 100
    assert red[0] > 3 * max(red[1:])


# -- sound -----------------------------------------------------------------------------------------------------------


def loudness(clip: Made, rung: str = "144p", track: int = 0) -> list[float]:
    """The mean sample in each half second of a rendition's sound."""
    joined = clip.folder / f"{rung}.ts"
    parts = range(len(clip.streams[rung].segments))
    joined.write_bytes(b"".join(clip.segment(rung, number).read_bytes() for number in parts))
    command = [ffmpeg_path(Settings()), "-loglevel", "error", "-i", str(joined), "-map", f"0:a:{track}"]
    options = ["-ac", "1", "-ar", "8000", "-f", "s16le", "-"]
    samples = array("h", subprocess.run([*command, *options], capture_output=True, check=True).stdout)
    return [sum(map(abs, samples[at : at + 4000])) / 4000 for at in range(0, len(samples) - 3999, 4000)]


def test_sound_that_begins_late_and_ends_early_is_where_it_was(made: Maker) -> None:
    heard = [loud > 100 for loud in loudness(made("late_sound"))]
    assert heard == [False] * 4 + [True] * 6 + [False] * 6


def test_sound_that_goes_on_after_the_picture_is_kept(made: Maker) -> None:
    assert [loud > 100 for loud in loudness(made("long_sound"))] == [True] * 16


def test_both_languages_are_in_every_segment(made: Maker) -> None:
    clip = made("two_tracks")
    for rung, stream in clip.streams.items():
        for number in range(len(stream.segments)):
            streams = probed(clip.segment(rung, number), "-show_streams")["streams"]
            tracks = [each["tags"]["language"] for each in streams if each["codec_type"] == "audio"]
            assert tracks == ["eng", "deu"]
    assert all(loud > 100 for track in (0, 1) for loud in loudness(clip, track=track)[:13])


def test_surround_becomes_stereo(made: Maker) -> None:
    streams = probed(made("surround").segment("144p"), "-show_streams")["streams"]
    assert [each["channels"] for each in streams if each["codec_type"] == "audio"] == [2]


def test_channels_without_names_are_no_obstacle(tmp_path: Path) -> None:
    """Without names for its channels FFmpeg can neither encode nor mix such sound by itself."""
    clip, settings = tmp_path / "many.mkv", Settings()
    nine = "|".join(["0.1*sin(880*t)"] * 9)
    inputs = f"-f lavfi -i testsrc2=size=64x64:duration=1 -f lavfi -i 'aevalsrc={nine}:d=1:s=48000'"
    words = f"-loglevel error {inputs} -c:v libx264 -pix_fmt yuv420p -c:a pcm_s16le"
    run([ffmpeg_path(settings), *shlex.split(words), str(clip)], settings)
    made = make_all(clip, tmp_path / "made")
    assert made.playback.problems == ()
    assert [track.channels for track in made.media.audio] == [2]


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_with_a_reason(clips: Path, name: str) -> None:
    with pytest.raises(NotAVideo) as caught:
        probe(table.make(name, clips), Settings())
    assert REFUSED[name] in str(caught.value)


def test_a_broken_source_is_told_in_words_and_may_be_tried_again(clips: Path, tmp_path: Path) -> None:
    """A download can break too: so nothing says that it is the video's fault."""
    media = probe(table.make("tiny", clips), Settings())
    command = rendition_command(table.make("truncated", clips), tmp_path, profile_named("144p"), media, Settings())
    with pytest.raises(FFmpegFailed, match="its index is missing"):
        run(command, Settings())


# -- nothing else is opened ------------------------------------------------------------------------------------------


@contextmanager
def listener() -> Iterator[tuple[int, list[str]]]:
    """A port, and a note of everyone who connects to it."""
    callers: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                try:
                    server.accept()[0].close()
                    callers.append("called")
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield server.getsockname()[1], callers
        finally:
            done.set()
            thread.join()


def traps(port: int, secret: Path) -> dict[str, str]:
    """Files that would make FFmpeg open something else."""
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{}\n#EXT-X-ENDLIST\n"
    return {
        "hls to an address": playlist.format(f"http://127.0.0.1:{port}/x.ts"),
        "hls to a file": playlist.format(secret.name),
        "master to an address": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://127.0.0.1:{port}/x.m3u8\n",
        "hls to an absolute file": playlist.format(f"file://{secret}"),
        "hls behind a zero": "\0\n" + playlist.format(f"http://127.0.0.1:{port}/x.ts"),
        "hls in utf-16": "\ufeff" + playlist.format(secret.name),
        "concat": f"ffconcat version 1.0\nfile '{secret.name}'\n",
        "concat of old": f"file '{secret}'\n",
        "session": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n",
        "html": f"<html><video src='http://127.0.0.1:{port}/x.mp4'></video></html>",
        "windows media": f"<asx version='3.0'><entry><ref href='http://127.0.0.1:{port}/x.wmv'/></entry></asx>",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
        f"<Period><AdaptationSet><Representation><BaseURL>http://127.0.0.1:{port}/x.mp4</BaseURL>"
        "</Representation></AdaptationSet></Period></MPD>",
    }


@pytest.mark.parametrize("extension", ["mp4", "m3u8", "ts", "mkv"])
def test_a_playlist_opens_nothing_whatever_it_is_called(clips: Path, tmp_path: Path, extension: str) -> None:
    """Also past the look at the first bytes: the commands themselves are asked."""
    settings, secret = Settings(), tmp_path / "secret.ts"
    secret.write_bytes(table.make("broadcast", clips).read_bytes())
    media = probe(secret, settings)
    with listener() as (port, callers):
        for name, content in traps(port, secret).items():
            trap = tmp_path / f"{name}.{extension}"
            trap.write_bytes(content.encode("utf-16-le" if "utf-16" in name else "utf-8"))
            with pytest.raises(NotAVideo) as caught:
                probe(trap, settings)
            assert "127.0.0.1" not in str(caught.value)
            assert "secret" not in str(caught.value)
            for command in (
                ffprobe_command(trap, settings, "-show_streams"),
                normalise_command(trap, tmp_path / "out.mp4", media, normalise_plan(media, "auto"), settings),
                thumbnail_command(trap, tmp_path / "out.jpg", media, settings),
            ):
                with pytest.raises(FFmpegFailed):
                    run(command, settings)
    assert callers == []
    assert not (tmp_path / "out.mp4").exists()
    assert not (tmp_path / "out.jpg").exists()


def with_outer_data(content: bytes, outside: Path) -> bytes:
    """An MP4 whose picture's data lies in another file: QuickTime's data reference of the kind `alis`."""
    place = content.index(b"url \0\0\0\1") - 4
    path = str(outside).encode()
    record = bytes(10) + b"\4disk" + bytes(23) + bytes(12) + b"\6secret" + bytes(57)
    record += bytes(16) + struct.pack(">hh", -1, -1) + bytes(16)
    record += struct.pack(">hh", 2, len(path)) + path + b"\0" * (len(path) % 2) + struct.pack(">hh", -1, 0)
    entry = struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
    grown = content[:place] + entry + content[place + 12 :]
    for name in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        at = content.index(name, 0 if name != b"dref" else place - 40) - 4
        size = int.from_bytes(content[at : at + 4], "big") + len(entry) - 12
        grown = grown[:at] + size.to_bytes(4, "big") + grown[at + 4 :]
    return grown


def pictures_of(path: Path, *options: str) -> bytes:
    """Checksums of all pictures, read by an FFmpeg with these options."""
    command = [
        ffmpeg_path(Settings()),
        "-loglevel",
        "error",
        *options,
        "-i",
        str(path),
        "-map",
        "0:v",
        "-f",
        "md5",
        "-",
    ]
    return subprocess.run(command, capture_output=True, check=False).stdout


def test_an_mp4_that_points_to_another_file_does_not_show_it(clips: Path, tmp_path: Path) -> None:
    """FFmpeg would open it with `-enable_drefs`; so the file can be made, and nothing of ours says that word."""
    secret, trap = tmp_path / "secret.mp4", tmp_path / "trap.mp4"
    secret.write_bytes(table.make("silent", clips).read_bytes())
    shown = secret.read_bytes()
    begin, end = shown.index(b"mdat") + 4, shown.index(b"moov") - 4
    trap.write_bytes(with_outer_data(shown[:begin] + bytes(end - begin) + shown[end:], secret))
    assert pictures_of(trap, "-enable_drefs", "1", "-use_absolute_path", "1") == pictures_of(secret)
    with pytest.raises(NotAVideo, match="its picture cannot be decoded"):
        probe(trap, Settings())


def test_without_the_restriction_the_traps_would_have_worked(clips: Path, tmp_path: Path) -> None:
    """So that the test above can fail at all."""
    secret = tmp_path / "secret.ts"
    secret.write_bytes(table.make("broadcast", clips).read_bytes())
    with listener() as (port, callers):
        names = ("hls to an address", "concat")
        for name in names:
            (tmp_path / f"{name}.m3u8").write_text(traps(port, secret)[name])
        open_to_all = [
            "-protocol_whitelist",
            "file,http,tcp",
            "-loglevel",
            "error",
            "-show_entries",
            "stream=codec_name",
        ]
        answers = [
            subprocess.run(
                [ffprobe_command(tmp_path, Settings())[0], *open_to_all, str(tmp_path / f"{name}.m3u8")],
                capture_output=True,
                check=False,
            )
            for name in names
        ]
    assert callers
    assert b"h264" in answers[1].stdout


# -- command lines ---------------------------------------------------------------------------------------------------


def test_commands_can_be_pasted_into_a_shell(clips: Path, tmp_path: Path) -> None:
    """From any folder, with names that a shell or FFmpeg could misread."""
    home = tmp_path / "it's 100% of [a], b; c=d"
    for rung in ("144p", "360p"):
        (home / rung).mkdir(parents=True)
    source, settings = home / "so:urce %03d.mp4", Settings()
    source.write_bytes(table.make("tiny", clips).read_bytes())
    media = probe(source, settings)
    commands = [
        rendition_command(source, home / rung, profile_named(rung), media, settings) for rung in ("144p", "360p")
    ]
    commands.append(thumbnail_command(source, home / "thumb %d.jpg", media, settings))
    for command in commands:
        subprocess.run(["sh", "-c", shlex.join(command)], check=True, capture_output=True, cwd="/")
    assert sorted(str(path.relative_to(home)) for path in home.rglob("*.*")) == [
        "144p/playlist.m3u8",
        "144p/segment_000.ts",
        "360p/playlist.m3u8",
        "360p/segment_000.ts",
        "so:urce %03d.mp4",
        "thumb %d.jpg",
    ]


def test_the_checker_finds_what_is_wrong(made: Maker, tmp_path: Path) -> None:
    """One byte pair here, one segment there: the checker must not say that all is well."""
    fetch = from_folder(made("pal").folder)

    def check(change: Callable[[str, bytes], bytes]) -> str:
        return "\n".join(check_playback(lambda path: change(path, fetch(path)), "master.m3u8", Settings()).problems)

    def swapped(path: str, content: bytes) -> bytes:
        return fetch("144p/segment_001.ts") if path == "144p/segment_000.ts" else content

    def torn(path: str, content: bytes) -> bytes:
        return content[: len(content) // 2] if path == "360p/segment_001.ts" else content

    def understated(path: str, content: bytes) -> bytes:
        return content.replace(b":BANDWIDTH=", b":BANDWIDTH=1,X-WAS=") if path == "master.m3u8" else content

    def mislabelled(path: str, content: bytes) -> bytes:
        return content.replace(b"RESOLUTION=320x180", b"RESOLUTION=322x180")

    assert check(lambda path, content: content) == ""
    assert "144p/playlist.m3u8: segment_001.ts: it begins at" in check(swapped)
    assert "360p/playlist.m3u8: segment_001.ts" in check(torn)
    assert "BANDWIDTH is 1, and segments of" in check(understated)
    assert "the picture is 320x180, not 322x180" in check(mislabelled)


def test_a_warning_of_x264_would_be_seen(clips: Path, tmp_path: Path) -> None:
    """So that the tests above can fail: without a buffer size x264 ignores the cap, and says so."""
    clip, settings = table.make("tiny", clips), Settings()
    command = rendition_command(clip, tmp_path, profile_named("144p"), probe(clip, settings), settings)
    place = command.index("-bufsize")
    assert "VBV maxrate specified, but no bufsize" in "\n".join(
        complaints_of([*command[:place], *command[place + 2 :]], settings)
    )
