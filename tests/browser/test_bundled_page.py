"""The page as a user starts it, with the editor that ships with the project."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.driving import (
    choose_editor,
    compare,
    edits,
    explain,
    explain_nothing,
    keep_going,
    stop_after,
    weights,
    window,
)
from tests.browser.running import real_page
from tests.sample_explanations import landscape

pytestmark = pytest.mark.browser

TINT = Path(__file__).parents[2] / "assets" / "editors" / "examples" / "tint.py"
INSTRUCTION = "make it a snowy evening"
PATIENCE_S = 300


def test_the_bundled_editor_explains_an_upload_stops_and_remembers(
    chromium: Browser, tmp_path: Path
):
    photo = tmp_path / "house.png"
    landscape(256).save(photo)
    with real_page(tmp_path / "served") as served, window(chromium, served.url) as page:
        # The example is there at once, and the trial at the start tells what a run takes.
        expect(page.locator("#sentence")).to_contain_text("drive")
        expect(page.locator("#cost")).to_contain_text(
            re.compile(r"\d+ edits, .* (s|second|min) "), timeout=1000 * PATIENCE_S
        )
        page.get_by_role("button", name="Clear").first.click()
        page.set_input_files("#photo input[type=file]", photo)
        expect(page.locator("#photo img")).to_have_attribute("src", re.compile("house.png"))

        keep_going(page)
        first = explain(page, INSTRUCTION, 24, PATIENCE_S)
        assert first.heatmaps >= 2
        assert first.first_heatmap < first.whole
        expect(page.locator("#status")).to_contain_text("26 of 26 edits in")
        shown = weights(page)
        assert len(shown) == len(INSTRUCTION.split())

        again = explain(page, INSTRUCTION, 24, PATIENCE_S)
        expect(page.locator("#status")).to_contain_text("26 of 26 edits, all from the cache")
        assert weights(page) == shown
        assert again.whole < first.whole

        stop_after(page, 2, "turn this quiet place into a stormy night", 254, PATIENCE_S)
        expect(page.locator("#status")).to_contain_text(re.compile(r"Stopped after \d+ of 256"))
        assert len(weights(page)) == 8
        page.get_by_role("tab", name="Gallery").click()
        assert 1 < edits(page).count() < 255


def test_an_instruction_that_the_bundled_editor_cannot_draw_ends_after_two_edits(
    chromium: Browser, tmp_path: Path
):
    with real_page(tmp_path) as served, window(chromium, served.url) as page:
        explain_nothing(page, "add a hat to the cat", PATIENCE_S)
        expect(page.locator("#status")).to_contain_text("2 of 2 edits")
        sentence = page.locator("#sentence")
        expect(sentence).to_contain_text("weather, time of day")
        expect(sentence).to_contain_text("it knows no objects")
        expect(sentence).to_contain_text("Try “make it a snowy night”")


def test_the_two_bundled_editors_are_compared(chromium: Browser, tmp_path: Path):
    with real_page(tmp_path) as served, window(chromium, served.url) as page:
        compare(page, INSTRUCTION, 16, PATIENCE_S)
        expect(page.locator("#compare-heatmaps .smile-heatmap")).to_have_count(3)  # and one legend
        rows = page.locator("#compare-words tbody tr")
        expect(rows).to_have_count(len(INSTRUCTION.split()))
        for name in ("scene-pix2pix", "one-step"):
            expect(page.locator("#compare-heatmaps")).to_contain_text(name)
        shown = page.locator("#compare-heatmaps .smile-number").all_inner_texts()
        numbers = [float(text.replace("−", "-").replace("–", "-")) for text in shown]
    words = INSTRUCTION.split()
    for column in (numbers[: len(words)], numbers[len(words) :]):
        assert words[column.index(max(column))] == "snowy"


def test_an_editor_of_ones_own_is_given_at_the_start(chromium: Browser, tmp_path: Path):
    arguments = ["{image}", "--prompt={prompt}", "--seed={seed}", "{output}"]
    own = tmp_path / "own.json"
    own.write_text(
        json.dumps(
            {
                "name": "own",
                "title": "My own program",
                "command": {"arguments": [sys.executable, str(TINT), *arguments]},
            }
        )
    )
    page_of_it = real_page(tmp_path / "served", "--editor", str(own))
    with page_of_it as served, window(chromium, served.url) as page:
        choose_editor(page, "My own program")
        explain(page, "paint it golden", 6, PATIENCE_S)
        expect(page.locator("#status")).to_contain_text("9 of 9 edits in")
        expect(page.locator("#sentence")).to_contain_text('"golden"')
        assert "editor=own" in page.url
