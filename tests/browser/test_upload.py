"""The widget Upload: what is chosen in the browser arrives whole, whatever happens on its way."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Show
from tests.browser.pages import drawn
from tests.lab import RunningLab
from tests.waiting import until
from vidlab import clips
from vidlab.paths import original_path
from vidlab.settings import MIB

CHUNK = 64 * 1024  # bytes, so that a small clip has many
SENT = re.compile("sent, and handed to the pipeline")
Screenshot = Callable[[str], Path | None]


@pytest.fixture
def clip(lab: RunningLab, tmp_path: Path) -> Path:
    """A clip of some chunks that no other test has sent."""
    content = clips.make("landscape", lab.clips, lab.settings).read_bytes()
    path = tmp_path / "from the browser.mp4"
    path.write_bytes(content)
    return path


def choose(page: Page, *files: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(list(files))


def row(page: Page) -> Any:
    return page.locator(".vl-upload").first


def video_hash(page: Page) -> str:
    """What the kernel is told."""
    return str(page.evaluate("shown[0].model.get('video_hash')"))


#: Notes the forms that the page sends; Playwright does not see bytes that come from a file.
NOTING = """
window.forms = [];
const plain = window.fetch;
window.fetch = (url, options) => {
  if (options?.body instanceof FormData) window.forms.push(Object.fromEntries(options.body));
  return plain(url, options);
};
"""


@pytest.fixture(autouse=True)
def noted(page: Page) -> None:
    page.add_init_script(NOTING)


def chunks(page: Page) -> list[int]:
    """The numbers of the chunks that were sent since the page was loaded, in order."""
    return sorted(map(int, page.evaluate("forms.map((form) => form.chunk)")))


def assert_whole(lab: RunningLab, sent: str, path: Path) -> None:
    """The lab has exactly these bytes."""
    blob = lab.storage.head(original_path(sent, "mp4"))
    assert blob
    opened = lab.storage.open(blob.path, etag=blob.etag, offset=0, length=blob.bytes)
    assert hashlib.sha256(b"".join(opened)).digest() == hashlib.sha256(path.read_bytes()).digest()


def test_a_file_that_is_chosen_arrives_whole(
    page: Page, lab: RunningLab, show: Show, clip: Path, screenshot: Screenshot
) -> None:
    show(page, lab, "upload", chunk_bytes=CHUNK)
    screenshot("upload-empty-light")
    choose(page, clip)
    expect(row(page)).to_contain_text(SENT)
    screenshot("upload-sent-light")
    sent = video_hash(page)
    assert page.evaluate("shown[0].model.get('sent')") == [sent]
    assert chunks(page) == list(range(-(-clip.stat().st_size // CHUNK)))
    digests = {form["chunk"]: form["sha256"] for form in page.evaluate("forms")}
    assert digests["1"] == hashlib.sha256(clip.read_bytes()[CHUNK : 2 * CHUNK]).hexdigest()
    assert lab.client.video(sent)["title"]
    assert_whole(lab, sent, clip)


def test_chosen_again_after_a_reload_only_what_is_missing_goes(
    page: Page, lab: RunningLab, show: Show, clip: Path, screenshot: Screenshot
) -> None:
    show(page, lab, "upload", theme="dark", chunk_bytes=CHUNK)
    hang_after(page, lab, 4)
    choose(page, clip)
    pause = row(page).get_by_role("button", name="Pause")
    page.wait_for_function("document.querySelector('.vl-upload .vl-state').textContent.includes('left')")
    pause.click()
    expect(row(page)).to_contain_text("paused at")
    screenshot("upload-paused-dark")
    page.unroute("**/videos/upload")
    arrived = lab.client.videos(limit=1)[0]["video_hash"]
    before = lab.client._ask("GET", f"/videos/{arrived}/upload")["missing"]
    page.reload()
    drawn(page)
    choose(page, clip)
    expect(row(page)).to_contain_text(SENT)
    assert video_hash(page) == arrived
    assert chunks(page) == [number for first, last in before for number in range(first, last + 1)]
    assert_whole(lab, arrived, clip)


def hang_after(page: Page, lab: RunningLab, count: int) -> list[Route]:
    """Let so many chunks through, and hold all that come after."""
    passed, held = 0, list[Route]()

    def answer(route: Route) -> None:
        nonlocal passed
        passed += 1
        if passed <= count:
            route.continue_()
        else:
            held.append(route)

    page.route("**/videos/upload", answer)
    return held


def test_paused_it_goes_on_by_a_key(page: Page, lab: RunningLab, show: Show, clip: Path) -> None:
    show(page, lab, "upload", chunk_bytes=CHUNK)
    hang_after(page, lab, 3)
    choose(page, clip)
    page.wait_for_function("document.querySelector('.vl-upload .vl-state').textContent.includes('left')")
    row(page).get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(row(page)).to_contain_text("paused at")
    expect(row(page).get_by_role("button", name="Resume")).to_be_focused()
    page.unroute("**/videos/upload")
    page.keyboard.press("Enter")
    expect(row(page)).to_contain_text(SENT)
    assert_whole(lab, video_hash(page), clip)


def test_a_sample_clip_needs_no_file_and_no_kernel(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "upload", chunk_bytes=8 * MIB)
    page.get_by_label("Sample clip").select_option("tiny")
    for count in (1, 2):  # each time another video
        page.get_by_role("button", name="Send clip").click()
        expect(row(page)).to_contain_text(SENT)
        page.wait_for_function(f"shown[0].model.get('sent').length === {count}")
    first, second = page.evaluate("shown[0].model.get('sent')")
    assert first != second
    assert lab.ended(second)["status"] == "completed"


def test_the_same_file_is_not_sent_twice_unless_one_wants_it(
    page: Page, lab: RunningLab, show: Show, clip: Path
) -> None:
    show(page, lab, "upload", chunk_bytes=8 * MIB)
    choose(page, clip)
    expect(row(page)).to_contain_text(SENT)
    first = video_hash(page)
    choose(page, clip)
    expect(row(page)).to_contain_text("was sent before")
    assert video_hash(page) == first
    expect(page.locator(".vl-upload")).to_have_count(1)
    row(page).get_by_role("button", name="Send again").click()
    expect(row(page)).to_contain_text(SENT)
    assert video_hash(page) != first


def test_what_the_api_refuses_is_said_in_its_words(
    page: Page, lab: RunningLab, show: Show, tmp_path: Path, clip: Path, screenshot: Screenshot
) -> None:
    show(page, lab, "upload", chunk_bytes=CHUNK)
    (tmp_path / "empty.mp4").touch()
    choose(page, tmp_path / "empty.mp4")
    expect(row(page)).to_contain_text("The file is empty.")
    page.route("**/videos/upload", lambda route: route.fulfill(**REFUSED))
    choose(page, clip)
    expect(row(page)).to_contain_text("The file is too large: send smaller ones.")
    expect(row(page).get_by_role("button", name="Try again")).to_be_visible()
    screenshot("upload-failed-light")


REFUSED: dict[str, Any] = {
    "status": 413,
    "content_type": "application/problem+json",
    "headers": {"Access-Control-Allow-Origin": "*"},
    "body": '{"error": "TooLarge", "detail": "The file is too large:", "hint": "send smaller ones."}',
}
TOO_OFTEN: dict[str, Any] = {
    "status": 429,
    "content_type": "application/problem+json",
    "headers": {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After",
        "Retry-After": "1",
    },
    "body": '{"error": "TooManyRequests", "detail": "This address asked too often.", "facts": {"seconds": 1}}',
}
AWAY: dict[str, Any] = REFUSED | {"status": 503, "body": '{"error": "DependencyAway", "detail": "azurite is away."}'}


@pytest.mark.parametrize(
    ("answer", "told"), [(TOO_OFTEN, "asked too often; it goes on in 1 s"), (AWAY, "azurite is away. Trying again")]
)
def test_what_passes_is_waited_for(
    page: Page, lab: RunningLab, show: Show, clip: Path, answer: dict[str, Any], told: str
) -> None:
    show(page, lab, "upload", chunk_bytes=CHUNK)
    page.route("**/videos/upload", lambda route: route.fulfill(**answer), times=2)
    choose(page, clip)
    expect(row(page)).to_contain_text(told)
    expect(row(page)).to_contain_text(SENT)
    expect(row(page).locator(".vl-problem")).to_be_empty()
    assert_whole(lab, video_hash(page), clip)


def test_disposed_it_sends_nothing_more(page: Page, lab: RunningLab, show: Show, clip: Path) -> None:
    show(page, lab, "upload", count=2, chunk_bytes=CHUNK, video_hash="")
    hang_after(page, lab, 1)
    choose(page, clip)
    expect(row(page).get_by_role("button", name="Pause")).to_be_visible()
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/videos/upload")):
        page.evaluate("shown[0].dispose()")
    expect(page.locator(".vidlab-upload")).to_have_count(1)
    page.unroute("**/videos/upload")
    choose(page, clip)  # the other one goes on with it
    expect(row(page)).to_contain_text(SENT)
    assert_whole(lab, str(page.evaluate("shown[1].model.get('video_hash')")), clip)
    assert video_hash(page) == ""


def test_a_lost_kernel_ends_it_with_a_sentence(page: Page, lab: RunningLab, show: Show) -> None:
    show(page, lab, "upload")
    page.evaluate("shown[0].model.tell('comm_live_update')")
    expect(page.get_by_text("run its cell again")).to_be_visible()
    expect(page.get_by_role("button", name="Choose files")).to_be_disabled()


@pytest.mark.parametrize("way", ["dropped", "fetched"])
def test_what_comes_to_a_widget_whose_kernel_is_gone_is_not_sent(
    page: Page, lab: RunningLab, show: Show, clip: Path, way: str
) -> None:
    show(page, lab, "upload", chunk_bytes=8 * MIB)
    held: list[Route] = []
    if way == "fetched":
        page.route("**/clips/tiny", lambda route: held.append(route))
        page.get_by_label("Sample clip").select_option("tiny")
        page.get_by_role("button", name="Send clip").click()
        until(lambda: page.evaluate("1") and held, "the clip is asked for")
    page.evaluate("shown[0].model.tell('comm_live_update')")
    if way == "dropped":
        drop(page, clip)
    for route in held:
        route.abort()
    expect(page.get_by_role("button", name=re.compile("Send clip|Fetching"))).to_be_disabled()
    page.wait_for_timeout(300)
    expect(page.locator(".vl-upload")).to_have_count(0)
    assert chunks(page) == []


def drop(page: Page, *files: Path) -> None:
    """Let files fall onto the widget, as a mouse does."""
    page.evaluate(
        "window.told = document.createElement('input'); Object.assign(told, { type: 'file', multiple: true })"
    )
    page.evaluate("document.body.append(told)")
    page.locator("body > input[type=file]").set_input_files(list(files))
    page.evaluate(
        """() => {
          const dataTransfer = new DataTransfer();
          for (const file of told.files) dataTransfer.items.add(file);
          told.remove();
          const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
          document.querySelector(".vl-drop").dispatchEvent(event);
        }"""
    )


def test_several_that_are_dropped_at_once_arrive(
    page: Page, lab: RunningLab, show: Show, clip: Path, tmp_path: Path
) -> None:
    another = tmp_path / "another.mp4"
    another.write_bytes(clips.make("tiny", lab.clips, lab.settings).read_bytes())
    show(page, lab, "upload", chunk_bytes=CHUNK)
    drop(page, clip, another)
    expect(page.locator(".vl-upload", has_text=SENT)).to_have_count(2)
    sent = {lab.client.video(one)["title"]: one for one in page.evaluate("shown[0].model.get('sent')")}
    assert_whole(lab, sent["from the browser"], clip)
    assert_whole(lab, sent["another"], another)


def test_a_file_whose_earlier_uploads_came_to_nothing_is_sent_anew(
    page: Page, lab: RunningLab, show: Show, tmp_path: Path
) -> None:
    bad = tmp_path / "no video.mp4"
    bad.write_bytes(clips.make("text", lab.clips, lab.settings).read_bytes())
    show(page, lab, "upload", chunk_bytes=8 * MIB)
    sent: list[str] = []
    for come_to_nothing in (lab.ended, lab.ended, lab.client.delete, lab.ended):
        choose(page, bad)
        page.wait_for_function(f"shown[0].model.get('sent')?.length === {len(sent) + 1}")
        expect(row(page)).to_contain_text(SENT)
        sent.append(video_hash(page))
        come_to_nothing(sent[-1])
    assert len(set(sent)) == 4


def test_what_storage_lost_by_finalize_is_sent_again(page: Page, lab: RunningLab, show: Show, clip: Path) -> None:
    show(page, lab, "upload", chunk_bytes=CHUNK)
    page.route("**/videos/finalize/*", lambda route: route.fulfill(**LOST), times=1)
    choose(page, clip)
    expect(row(page)).to_contain_text(SENT)
    assert [number for number in set(chunks(page)) if chunks(page).count(number) == 2] == [2, 3]
    assert_whole(lab, video_hash(page), clip)


LOST: dict[str, Any] = REFUSED | {
    "status": 409,
    "body": '{"error": "ChunksMissing", "detail": "Chunks are missing.", "facts": {"ranges": [[2, 3]]}}',
}


def test_an_api_that_is_killed_on_the_way_is_waited_for(page: Page, lab: RunningLab, show: Show, clip: Path) -> None:
    show(page, lab, "upload", chunk_bytes=CHUNK)
    held = hang_after(page, lab, 4)
    choose(page, clip)
    until(lambda: page.evaluate("1") and len(held) == 3, "all its lanes are held up")
    before = lab.local.status().process("api").pid
    lab.local.kill("api")
    while held:
        held.pop().continue_()
    page.unroute("**/videos/upload")
    expect(row(page)).to_contain_text("does not answer. Trying again")
    expect(row(page)).to_contain_text(SENT)
    assert lab.local.status().process("api").pid != before
    assert_whole(lab, video_hash(page), clip)


def test_on_a_page_that_is_not_safe_it_says_so(page: Page, lab: RunningLab, show: Show, clip: Path) -> None:
    page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    show(page, lab, "upload")
    choose(page, clip)
    expect(row(page)).to_contain_text("lab.upload(FILE)")
