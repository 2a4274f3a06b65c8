"""The real page in a real browser, with the quick test editor."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.driving import (
    ask,
    drop,
    edits,
    explain,
    keep_going,
    open_page,
    stop_after,
    wait_for_end,
    weights,
    window,
)
from tests.sample_explanations import landscape, sample_explanation

pytestmark = pytest.mark.browser

INSTRUCTION = "make it very snowy and a bit foggy"
SHORT_RUN, LONG_RUN = 12, 120


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
    keep_going(page)
    assert explain(page, INSTRUCTION, 40).heatmaps >= 2
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
    keep_going(page)
    assert stop_after(page, 1, INSTRUCTION, LONG_RUN).stop < 1
    expect(page.locator("#status")).to_contain_text("Stopped after")
    assert len(weights(page)) == len(INSTRUCTION.split())
    page.get_by_role("tab", name="Gallery").click()
    assert 1 < edits(page).count() < 121


def test_a_run_ends_by_itself_when_its_words_have_settled(page: Page):
    explain(page, INSTRUCTION, LONG_RUN)
    expect(page.locator("#sentence .notes")).to_contain_text(
        re.compile(r"Settled: .* \d+ of 120 pert")
    )
    page.get_by_role("tab", name="Gallery").click()
    assert 1 < edits(page).count() < LONG_RUN


def test_colours_and_order_chosen_during_a_run_stay(page: Page):
    keep_going(page)
    ask(page, INSTRUCTION, LONG_RUN)
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
        expect(edits(page)).to_have_count(perturbations + 1)
        assert page.locator("#gallery select").input_value() == "-distance"
        assert distances(page) == sorted(distances(page), reverse=True)
        page.get_by_role("tab", name="Map").click()
        ask(page, INSTRUCTION, SHORT_RUN)
        expect(page.locator("#explain")).to_be_disabled()
    wait_for_end(page)


def distances(page: Page) -> list[float]:
    """Return the distances of the edits as they lie on the page, without the reference."""
    return page.evaluate("""[...document.querySelectorAll('#gallery .edit:not(.reference)')]
      .sort((a, b) => a.style.order - b.style.order)
      .map((edit) => parseFloat(edit.dataset.distance)).filter(Number.isFinite)""")


def test_the_address_carries_the_settings_and_markup_stays_text(page: Page, url: str):
    hostile = "make <script>window.hacked=1</script> it <img src=x onerror=window.hacked=1> ${1+1}"
    ask(page, hostile, 8)
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


def test_two_tabs_at_once_take_turns(page: Page, chromium: Browser, url: str):
    with window(chromium, url) as other:
        ask(page, INSTRUCTION, 60)
        expect(page.locator("#status")).to_contain_text("edits/s", timeout=15_000)
        ask(other, "make it foggy at night", 10)
        expect(other.locator("#status")).to_contain_text("Waiting for another explanation")
        wait_for_end(page)
        wait_for_end(other)
        assert len(weights(page)) == len(INSTRUCTION.split())
        assert len(weights(other)) == 5


def test_a_waiting_run_can_be_stopped(page: Page, chromium: Browser, url: str):
    keep_going(page)
    with window(chromium, url) as other:
        ask(page, INSTRUCTION, LONG_RUN)
        expect(page.locator("#status")).to_contain_text("edits/s", timeout=15_000)
        ask(other, "make it foggy", 4)
        expect(other.locator("#status")).to_contain_text("Waiting")
        other.click("#stop")
        expect(other.locator("#status")).to_contain_text("Stopped before the first edit")
        expect(other.locator("#sentence")).to_contain_text("drive")  # the example is back
        expect(other.locator("#explain")).to_be_enabled()
        page.click("#stop")
        wait_for_end(page)
        ask(other, "make it foggy", 4)
        wait_for_end(other)


def test_chips_fill_in_photo_and_instruction(page: Page):
    page.locator("#photo-chips button[data-value=coffee]").click()
    expect(page.locator("#photo img")).to_have_attribute("src", re.compile("coffee"))
    page.locator("#instruction-chips summary", has_text="Time").click()
    chip = page.locator("#instruction-chips .chip:visible").first
    text = chip.inner_text()
    chip.click()
    expect(page.locator("#instruction textarea")).to_have_value(text)
