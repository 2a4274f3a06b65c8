"""What cannot be used gets a sentence, loses nothing, and leaves the server alive."""

from __future__ import annotations

import io
import random
import re
import sys
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.driving import ask, drop, edits, explain, wait_for_end, weights, window
from tests.browser.running import quick_page
from tests.sample_explanations import landscape

pytestmark = pytest.mark.browser


def as_file(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


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
    ask(page, "make it 🌨️ שלג", 4)
    wait_for_end(page)
    expect(page.locator(".alert")).to_have_count(0)


def test_an_editor_that_cannot_be_loaded_leaves_the_last_result(page: Page):
    shown = weights(page)
    page.locator("#editor input").click()
    page.get_by_role("option", name="InstructPix2Pix", exact=True).click()
    ask(page, "make it snowy", 4)
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
    ask(page, "make it snowy", 4)
    wait_for_end(page)


def test_a_photo_of_20_megabytes_is_explained(page: Page, tmp_path: Path):
    side = 2600
    noise = Image.frombytes("RGB", (side, side), random.Random(0).randbytes(3 * side * side))
    photo = tmp_path / "large.png"
    noise.save(photo, compress_level=0)
    assert photo.stat().st_size > 20_000_000
    page.get_by_role("button", name="Clear").first.click()
    page.set_input_files("#photo input[type=file]", photo)
    expect(page.locator("#photo img")).to_have_attribute("src", re.compile("large.png"))
    explain(page, "make it snowy", 4, seconds=60)
    expect(page.locator("#status")).to_contain_text("6 of 6 edits")
    expect(page.locator("#pair img")).to_have_count(2)


def test_a_file_that_is_too_large_gets_a_sentence(page: Page):
    before = page.locator("#photo img").get_attribute("src")
    drop(page, "film.png", b"", padding=26 * 2**20)
    expect(page.locator(".alert")).to_contain_text("larger than 25 MB", timeout=20_000)
    assert page.locator("#photo img").get_attribute("src") == before


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_full_disk_costs_the_files_and_nothing_else(chromium: Browser, tmp_path: Path):
    """The operating system refuses every write beyond a few bytes, as on a full disk."""
    with (
        quick_page(tmp_path, file_limit=500) as served,
        window(chromium, served.url) as page,
    ):
        explain(page, "make it snowy", 6)
        expect(page.locator("#status")).to_contain_text("8 of 8 edits")
        assert len(weights(page)) == 3
        expect(page.locator("#sentence")).to_contain_text("could not be kept on disk")
        expect(page.locator(".alert")).to_contain_text("no files to take away")
        expect(page.locator("#pair img")).to_have_count(2)
        page.evaluate(
            "Promise.all([...document.querySelectorAll('#pair img')].map((i) => i.decode()))"
        )
        page.get_by_role("tab", name="Gallery").click()
        expect(edits(page).locator("img")).to_have_count(7)
        drop(page, "house.png", as_file(landscape(200), "PNG"))
        expect(page.locator(".alert")).to_contain_text("could not be uploaded")
        assert not list((tmp_path / "cache").rglob("*.*"))
        explain(page, "make it foggy", 6)
