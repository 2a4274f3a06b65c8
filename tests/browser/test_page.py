"""The real page in a real browser, with the quick test editor."""

from __future__ import annotations

import base64
import io
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import anyio
import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from components.inputs import PHOTOS
from smile_core.export import save_explanation
from tests.browser.chromium import browser, require_chromium
from tests.browser.running import running_page
from tests.sample_explanations import landscape, sample_explanation

pytestmark = pytest.mark.browser

INSTRUCTION = "make it very snowy and a bit foggy"
SHORT_RUN, LONG_RUN = "12", "120"
# Resolves once the page has taken the file; drops it as a person would.
DROP = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, {type}));
  document.querySelector('#result').dispatchEvent(
    new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""
COUNT_HEATMAPS = """() => {
  window.heatmaps = new Set();
  const look = () => window.heatmaps.add(
    [...document.querySelectorAll('#heatmap .smile-number')].map((n) => n.textContent).join());
  new MutationObserver(look).observe(document.querySelector('#heatmap'),
    {childList: true, subtree: true, characterData: true});
}"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    require_chromium()
    folder = tmp_path_factory.mktemp("page")
    example = save_explanation(sample_explanation(), folder / "example")
    (example / "photo.txt").write_text("temple\n", encoding="utf-8")
    with running_page(folder, delay_s=0.04, example=example) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser(require_chromium()) as started:
        yield started


@pytest.fixture
def page(chromium: Browser, url: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.problems = []
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))
    open_page(opened, url)
    yield opened
    context.close()
    assert opened.problems == []


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("#explain")).to_be_enabled()
    expect(page.locator("#cost")).to_contain_text(re.compile("edits|Write"))


def ask(page: Page, instruction: str = INSTRUCTION, perturbations: str = SHORT_RUN) -> None:
    page.fill("#instruction textarea", instruction)
    page.fill("#perturbations input", perturbations)
    page.keyboard.press("Control+Enter")


def wait_for_end(page: Page) -> None:
    expect(page.locator("#status")).to_contain_text(re.compile("edits in|Stopped"), timeout=30_000)
    expect(page.locator("#explain")).to_be_enabled()


def drop(page: Page, name: str, data: bytes, kind: str = "image/png") -> None:
    page.evaluate(DROP, [name, kind, base64.b64encode(data).decode()])


def as_file(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def edits(page: Page) -> Locator:
    """Return the figures of the run, the reference among them."""
    return page.locator("#gallery figure").filter(has_not_text="no instruction at all")


def weights(page: Page) -> list[str]:
    return page.locator("#heatmap .smile-number").all_inner_texts()


def test_a_newcomer_sees_a_finished_explanation(page: Page):
    expect(page.locator("#sentence")).to_contain_text("drive")
    assert len(weights(page)) == len(sample_explanation().units)
    expect(page.locator("#pair img")).to_have_count(2)
    expect(page.locator("#words-chart .main-svg").first).to_be_visible()
    page.get_by_role("tab", name="Gallery").click()
    expect(edits(page)).to_have_count(len(sample_explanation().samples) + 1)
    page.get_by_role("tab", name="Export").click()
    expect(page.locator("#export-links a")).to_have_count(4)


def test_upload_explain_export_and_restore(page: Page, url: str, tmp_path: Path):
    photo = tmp_path / "house.png"
    landscape(200).save(photo)
    page.get_by_role("button", name="Clear").first.click()
    page.set_input_files("#photo input[type=file]", photo)
    expect(page.locator("#photo img")).to_be_visible()
    page.evaluate(COUNT_HEATMAPS)
    ask(page, perturbations="40")
    expect(page.locator("#explain")).to_be_disabled()
    wait_for_end(page)
    assert page.evaluate("window.heatmaps.size") >= 3  # dashes, and at least two fits
    expect(page.locator("#status")).to_contain_text("41 of 41 edits")
    expect(page.locator("#sentence")).to_contain_text("snowy")
    expect(page.locator("#cost")).to_contain_text("about")
    page.get_by_role("tab", name="Gallery").click()
    expect(edits(page)).to_have_count(41)
    expect(page.locator("#gallery s").first).to_be_attached()
    page.locator("#gallery .zoom").first.click()
    expect(page.locator("#full-size")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Map").click()
    expect(page.locator("#map-chart .point").first).to_be_attached()

    page.get_by_role("tab", name="Export").click()
    files = {}
    for name in ("explanation.json", "heatmap.png", "report.html", "samples.csv"):
        with page.expect_download() as download:
            page.locator(f"#export-links a[download='{name}']").click()
        files[name] = tmp_path / name
        download.value.save_as(files[name])
    assert json.loads(files["explanation.json"].read_text())["instruction"] == INSTRUCTION
    before = weights(page)

    # A fresh page; the JSON through the button, the picture by dropping it anywhere.
    open_page(page, url)
    assert weights(page) != before
    page.get_by_role("tab", name="Export").click()
    page.set_input_files("#tabs-column input[type=file]", files["explanation.json"])
    expect(page.locator("#status")).to_contain_text("Restored")
    assert weights(page) == before
    assert page.input_value("#instruction textarea") == INSTRUCTION
    assert page.input_value("#perturbations input") == "40"
    open_page(page, url)
    drop(page, "heatmap.png", files["heatmap.png"].read_bytes())
    expect(page.locator("#status")).to_contain_text("Restored")
    assert weights(page) == before
    assert page.input_value("#instruction textarea") == INSTRUCTION


def test_stop_answers_at_once_and_keeps_what_there_is(page: Page):
    ask(page, perturbations=LONG_RUN)
    expect(page.locator("#status")).to_contain_text("edits/s", timeout=15_000)
    page.click("#stop")
    expect(page.locator("#status")).to_contain_text("Stopped after", timeout=1000)
    expect(page.locator("#explain")).to_be_enabled()
    assert len(weights(page)) == len(INSTRUCTION.split())
    page.get_by_role("tab", name="Gallery").click()
    assert 1 < edits(page).count() < 121


def test_colours_and_order_chosen_during_a_run_stay(page: Page):
    ask(page, perturbations=LONG_RUN)
    page.get_by_role("tab", name="Gallery").click()
    expect(edits(page).nth(8)).to_be_attached(timeout=15_000)
    page.locator("#gallery select").select_option("-distance")
    page.get_by_role("tab", name="Map").click()
    page.locator("#map-color input").click()
    page.get_by_role("option", name="Kept “snowy”").click()
    expect(page.locator("#map-chart")).to_contain_text("“snowy” kept")
    expect(page.locator("#stop")).to_be_enabled()  # the run still goes on
    for perturbations in (LONG_RUN, SHORT_RUN):
        wait_for_end(page)
        expect(page.locator("#map-chart")).to_contain_text("“snowy” kept")
        assert page.input_value("#map-color input") == "Kept “snowy”"
        page.get_by_role("tab", name="Gallery").click()
        expect(edits(page)).to_have_count(int(perturbations) + 1)
        assert page.locator("#gallery select").input_value() == "-distance"
        assert distances(page) == sorted(distances(page), reverse=True)
        page.get_by_role("tab", name="Map").click()
        ask(page, perturbations=SHORT_RUN)
        expect(page.locator("#explain")).to_be_disabled()
    wait_for_end(page)


def distances(page: Page) -> list[float]:
    """Return the distances of the edits as they lie on the page, without the reference."""
    return page.evaluate("""[...document.querySelectorAll('#gallery .edit:not(.reference)')]
      .sort((a, b) => a.style.order - b.style.order)
      .map((edit) => parseFloat(edit.dataset.distance)).filter(Number.isFinite)""")


def test_the_address_carries_the_settings_and_markup_stays_text(page: Page, url: str):
    hostile = "make <script>window.hacked=1</script> it <img src=x onerror=window.hacked=1> ${1+1}"
    ask(page, hostile, "8")
    wait_for_end(page)
    address = page.url
    assert "script" in address
    expect(page.locator("#heatmap")).to_contain_text("<script>window.hacked=1</script>")
    expect(page.locator("#heatmap")).to_contain_text("${1+1}")
    page.get_by_role("tab", name="Gallery").click()
    expect(page.locator("#gallery")).to_contain_text("onerror=window.hacked=1>")
    open_page(page, address)
    expect(page.locator("#sentence")).to_contain_text("Opened from a link")
    assert page.input_value("#instruction textarea") == hostile
    assert page.input_value("#perturbations input") == "8"
    open_page(page, url + "?" + urlencode({"instruction": "make it snowy", "<b>x</b>": "1"}))
    expect(page.locator(".alert")).to_contain_text("Unknown setting: <b>x</b>")
    assert page.evaluate("window.hacked") is None


def test_settings_that_cannot_be_used_get_a_sentence_and_lose_nothing(page: Page):
    shown = weights(page)
    cases = [
        ("make it snowy", "0", "from 1 to 4096"),
        ("make it snowy", "-1", "from 1 to 4096"),
        ("make it snowy", "1000000", "from 1 to 4096"),
        ("make it snowy", "1.5", "whole number"),
        ("make it snowy", "", "is empty"),
        ("   ", "8", "instruction is empty"),
        ("snowy", "8", "single word"),
        (" ".join(["word"] * 65), "8", "64"),
        ("x" * 5000, "8", "5,000 characters"),
    ]
    for instruction, perturbations, sentence in cases:
        ask(page, instruction, perturbations)
        expect(page.locator(".alert")).to_contain_text(sentence)
        assert page.input_value("#instruction textarea") == instruction
        assert weights(page) == shown
        expect(page.locator("#explain")).to_be_enabled()
    ask(page, "make it 🌨️ שלג", "4")
    wait_for_end(page)
    expect(page.locator(".alert")).to_have_count(0)


def test_an_editor_that_cannot_be_loaded_leaves_the_last_result(page: Page):
    shown = weights(page)
    page.locator("#editor input").click()
    page.get_by_role("option", name="InstructPix2Pix").click()
    ask(page, "make it snowy", "4")
    expect(page.locator(".alert")).to_contain_text("cannot be fetched from the hub", timeout=20_000)
    expect(page.locator("#explain")).to_be_enabled()
    assert weights(page) == shown
    page.get_by_role("tab", name="Export").click()
    expect(page.locator("#export-links a")).to_have_count(4)


def test_photos_that_cannot_be_used_get_a_sentence(page: Page):
    good = as_file(landscape(64), "PNG")
    before = page.locator("#photo img").get_attribute("src")
    for name, data, sentence in [
        ("text.png", b"this is no picture", "not a picture"),
        ("cut.png", good[: len(good) // 2], "damaged or cut short"),
        ("empty.png", b"", "empty"),
        ("dot.png", as_file(Image.new("RGB", (1, 1)), "PNG"), "1 × 1 pixels"),
        ("huge.png", as_file(Image.new("1", (12000, 12000)), "PNG"), "at most 40 megapixels"),
    ]:
        drop(page, name, data)
        expect(page.locator(".alert")).to_contain_text(sentence)
        assert page.locator("#photo img").get_attribute("src") == before
    animation = as_file(
        landscape(64), "GIF", save_all=True, append_images=[landscape(64, 1)], duration=50
    )
    rotated = Image.Exif()
    rotated[274] = 6
    for name, data in [
        ("moving.gif", animation),
        ("print.jpg", as_file(landscape(64).convert("CMYK"), "JPEG")),
        ("deep.png", as_file(landscape(64).convert("I;16"), "PNG")),
        ("glass.png", as_file(landscape(64).convert("RGBA"), "PNG")),
        ("turned.jpg", as_file(landscape(64), "JPEG", exif=rotated)),
    ]:
        drop(page, name, data)
        expect(page.locator("#photo img")).to_have_attribute("src", re.compile(re.escape(name)))
        expect(page.locator(".alert")).to_have_count(0)
    ask(page, "make it snowy", "4")
    wait_for_end(page)


def test_two_tabs_at_once_take_turns(page: Page, chromium: Browser, url: str):
    other = chromium.new_context().new_page()
    open_page(other, url)
    ask(page, perturbations="60")
    expect(page.locator("#status")).to_contain_text("edits/s", timeout=15_000)
    ask(other, "make it foggy at night", "10")
    expect(other.locator("#status")).to_contain_text("Waiting for another explanation")
    wait_for_end(page)
    wait_for_end(other)
    assert len(weights(page)) == len(INSTRUCTION.split())
    assert len(weights(other)) == 5
    other.context.close()


def test_a_waiting_run_can_be_stopped(page: Page, chromium: Browser, url: str):
    other = chromium.new_context().new_page()
    open_page(other, url)
    ask(page, perturbations=LONG_RUN)
    expect(page.locator("#status")).to_contain_text("edits/s", timeout=15_000)
    ask(other, "make it foggy", "4")
    expect(other.locator("#status")).to_contain_text("Waiting")
    other.click("#stop")
    expect(other.locator("#status")).to_contain_text("Stopped before the first edit")
    expect(other.locator("#sentence")).to_contain_text("drive")  # the example is back
    expect(other.locator("#explain")).to_be_enabled()
    page.click("#stop")
    wait_for_end(page)
    ask(other, "make it foggy", "4")
    wait_for_end(other)
    other.context.close()


def test_chips_fill_in_photo_and_instruction(page: Page):
    page.locator("#photo-chips button[data-value=coffee]").click()
    expect(page.locator("#photo img")).to_have_attribute("src", re.compile("coffee"))
    page.locator("#instruction-chips summary", has_text="Time").click()
    chip = page.locator("#instruction-chips .chip:visible").first
    text = chip.inner_text()
    chip.click()
    expect(page.locator("#instruction textarea")).to_have_value(text)


def test_the_endpoint_answers_and_refuses_with_sentences(url: str):
    client = Client(url, verbose=False)
    photo = handle_file(str(PHOTOS["temple"]))
    answer = client.predict(photo, "make it snowy", perturbations=6, api_name="/explain")
    assert [unit["text"] for unit in answer["units"]] == ["make", "it", "snowy"]
    assert "snowy" in answer["summary"]
    for settings, sentence in [
        ({"perturbations": 0}, "from 1 to 4096"),
        ({"perturbations": "many"}, "not 'many'"),
        ({"editor": "nobody"}, "Unknown editor 'nobody'"),
        ({"instruction": " "}, "instruction is empty"),
    ]:
        with pytest.raises(AppError, match=re.escape(sentence)):
            client.predict(
                image=photo, api_name="/explain", **{"instruction": "make it snowy", **settings}
            )
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/explain"]


def test_the_endpoint_stops_when_its_client_is_gone_and_the_page_waits_for_it(page: Page, url: str):
    with PHOTOS["temple"].open("rb") as file:
        uploaded = httpx.post(f"{url}gradio_api/upload", files={"files": file}).json()
    photo = {"path": uploaded[0]}
    long_words = "one two three four five six seven eight nine ten snowy foggy"
    data = [photo, long_words, "scene-pix2pix", 256, 0]
    sent = httpx.post(f"{url}gradio_api/call/explain", json={"data": data})
    assert sent.status_code == 200, sent.text
    address = f"{url}gradio_api/call/explain/{sent.json()['event_id']}"
    with httpx.stream("GET", address, timeout=30) as answer:
        lines = answer.iter_lines()  # kept, for the answer is closed with it
        assert any("generating" in line for line in lines)
        started = time.monotonic()
        ask(page, "make it foggy", "4")
        expect(page.locator("#status")).to_contain_text("Waiting for another explanation")
    wait_for_end(page)
    # All 257 edits of the endpoint's run take more than ten seconds.
    assert time.monotonic() - started < 8


def test_there_is_one_tool_for_agents(url: str):
    async def tools() -> list[str]:
        async with (
            streamable_http_client(f"{url}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return [tool.name for tool in (await session.list_tools()).tools]

    # Playwright's own event loop lives in this thread.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(anyio.run, tools).result() == ["explain"]
