"""A mask on the page: drawn, uploaded, or the whole picture."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.driving import ask, choose_editor, explain, paint
from tests.browser.server import MASK_CARD
from tests.sample_explanations import landscape

pytestmark = pytest.mark.browser

INSTRUCTION = "make it snowy"


def test_the_mask_is_asked_for_only_where_it_is_needed(page: Page) -> None:
    expect(page.locator("#mask")).to_be_hidden()
    choose_editor(page, MASK_CARD.title)
    expect(page.locator("#mask")).to_be_visible()
    expect(page.locator("#mask-drawing canvas")).to_be_visible()
    ask(page, INSTRUCTION, 4)
    expect(page.locator(".alert")).to_contain_text("edits only inside a mask: draw one")
    choose_editor(page, "Quick test editor")
    expect(page.locator("#mask")).to_be_hidden()
    explain(page, INSTRUCTION, 4)
    expect(page.locator(".alert")).to_have_count(0)


def test_a_drawn_mask_is_used_again_and_again(page: Page) -> None:
    choose_editor(page, MASK_CARD.title)
    expect(page.locator("#mask-drawing canvas")).to_be_visible()
    paint(page.locator("#mask-drawing canvas"))
    for _ in range(2):
        explain(page, INSTRUCTION, 4)
        expect(page.locator("#status")).to_contain_text("6 of 6 edits")
        expect(page.locator("#sentence")).to_contain_text(re.compile(r"covers [1-3]?\d % of"))
    page.get_by_role("button", name="Clear").last.click()
    ask(page, INSTRUCTION, 4)
    expect(page.locator(".alert")).to_contain_text("edits only inside a mask")


def test_an_uploaded_mask_and_the_whole_picture(page: Page, tmp_path: Path) -> None:
    photo, mask, wrong = (tmp_path / name for name in ("house.png", "mask.png", "wrong.png"))
    landscape(200).save(photo)
    left = Image.new("L", (200, 200), 0)
    left.paste(255, (0, 0, 100, 200))
    left.save(mask)
    left.crop((0, 0, 200, 100)).save(wrong)
    page.get_by_role("button", name="Clear").first.click()
    page.set_input_files("#photo input[type=file]", photo)
    choose_editor(page, MASK_CARD.title)
    page.set_input_files("#mask input[type=file]", wrong)
    expect(page.locator(".alert")).to_contain_text("proportions differ")
    page.set_input_files("#mask input[type=file]", mask)
    expect(page.locator(".alert")).to_have_count(0)
    explain(page, INSTRUCTION, 4)
    expect(page.locator("#sentence")).to_contain_text("covers 50 % of the picture")
    page.get_by_label("Whole picture").check()
    expect(page.locator("#mask-drawing canvas")).to_be_hidden()
    explain(page, INSTRUCTION, 4)
    expect(page.locator("#sentence")).to_contain_text("covers 100 % of the picture")
