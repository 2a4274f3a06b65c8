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
    explain_nothing,
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
MANY_WORDS = (
    "turn this day, with all of its people and all of its old houses, into a very snowy, and a bit "
    "foggy night"
)
SHORT_RUN, LONG_RUN = 12, 120
NOTHING = "Nothing happened, so there is nothing to explain."


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
    expect(page.locator("#status")).to_contain_text("42 of 42 edits")
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
        re.compile(r"Settled after \d+ of 120 perturbations")
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
    keep_going(page)
    with window(chromium, url) as other:
        ask(page, INSTRUCTION, LONG_RUN)
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


def test_the_number_of_perturbations_follows_the_words_until_it_is_set(page: Page):
    number, automatic = (
        page.locator("#perturbations input"),
        page.get_by_label("Automatic: four for each word"),
    )
    expect(automatic).not_to_be_checked()  # the example has another number
    automatic.check()
    expect(number).to_have_value("32")
    page.fill("#instruction textarea", MANY_WORDS)
    expect(number).to_have_value("92")
    expect(page.locator("#cost")).to_contain_text("At most 94 edits")
    number.fill("20")
    expect(automatic).not_to_be_checked()
    page.fill("#instruction textarea", MANY_WORDS + " and a red sunset")
    expect(page.locator("#other-unit")).to_contain_text("27 words")  # the new words were seen
    expect(number).to_have_value("20")
    automatic.check()
    expect(number).to_have_value("108")
    page.locator("#perturbations-slider input[type=range]").fill("64")
    expect(automatic).not_to_be_checked()
    expect(number).to_have_value("64")
    # Typed and run at once: the number is that of these words.
    automatic.check()
    page.fill("#instruction textarea", "make it very snowy now")
    page.click("#explain")
    wait_for_end(page)
    expect(number).to_have_value("32")
    assert "perturbations=32" in page.url


def test_phrases_are_offered_for_many_words_and_taken_at_a_click(page: Page):
    offer = page.locator("#other-unit")
    page.fill("#instruction textarea", "make it very snowy now")
    expect(offer).to_be_hidden()
    page.fill("#instruction textarea", MANY_WORDS)
    expect(offer).to_have_text("23 words: explain phrases instead of words")
    offer.click()
    expect(offer).to_be_hidden()
    expect(page.locator("#cost")).to_contain_text("all 14 ways to shorten 4 phrases")
    page.click("#explain")
    wait_for_end(page)
    expect(page.locator("#heatmap .smile-unit")).to_have_count(4)
    expect(page.locator("#status")).to_contain_text("16 of 16 edits")
    page.fill("#instruction textarea", "make it very snowy now")
    expect(offer).to_have_text("A single phrase: explain words instead of phrases")
    offer.click()
    expect(page.locator("#cost")).to_contain_text("At most 26 edits")  # it was a refusal before


def test_a_result_goes_on_with_64_more(page: Page):
    more = page.locator("#more")
    explain(page, INSTRUCTION, SHORT_RUN)
    expect(page.locator("#status")).to_contain_text("14 of 14 edits")
    expect(more).to_have_text("64 more")
    page.fill("#instruction textarea", "make it foggy")  # of another run
    more.click()
    expect(more).to_be_hidden()
    expect(page.locator("#status")).to_contain_text("78 of 78 edits in", timeout=30_000)
    expect(page.locator("#heatmap .smile-unit")).to_have_count(len(INSTRUCTION.split()))
    assert "perturbations=76" in page.url
    assert "stop_when_settled" not in page.url  # it is off by default
    assert page.input_value("#perturbations input") == str(SHORT_RUN)
    assert page.input_value("#instruction textarea") == "make it foggy"
    page.get_by_role("tab", name="Gallery").click()
    expect(edits(page)).to_have_count(77)
    expect(more).to_have_text("64 more")
    # Of three words there is nothing left to try.
    explain(page, "make it foggy", SHORT_RUN)
    expect(page.locator("#status")).to_contain_text("8 of 8 edits")
    expect(more).to_be_hidden()


def test_a_run_in_which_nothing_happened_says_so_everywhere(page: Page):
    explain_nothing(page, "add a hat to the cat")
    expect(page.locator("#status")).to_contain_text("2 of 2 edits in")
    expect(page.locator("#pair img")).to_have_count(2)
    expect(page.locator("#more")).to_be_hidden()
    for name, panel in (("Words", "words"), ("Map", "map"), ("Fidelity", "fidelity")):
        page.locator("#evidence-tabs").get_by_role("tab", name=name, exact=True).click()
        expect(page.locator(f"#{panel}-chart .nothing")).to_have_text(NOTHING)
        expect(page.locator(f"#{panel}-chart .nothing")).to_be_visible()
    assert page.locator("#fidelity-numbers").inner_text().strip() == ""
    # The next run draws again.
    explain(page, INSTRUCTION, SHORT_RUN)
    expect(page.locator("#fidelity-chart .nothing")).to_be_hidden()
    expect(page.locator("#fidelity-numbers")).to_contain_text("Leave-one-out")


def test_nothing_is_said_as_soon_as_it_is_seen(page: Page):
    keep_going(page)
    ask(page, "add a hat to the cat with a stick", LONG_RUN)
    expect(page.locator("#sentence")).to_contain_text("changed nothing", timeout=15_000)
    expect(page.locator("#status")).to_contain_text("edits/s")  # it goes on
    page.click("#stop")
    wait_for_end(page)
    expect(page.locator("#sentence")).to_contain_text("changed nothing")
    expect(page.locator("#words-chart .nothing")).to_have_text(NOTHING)


def test_two_words_of_which_either_is_enough_share_one_number(page: Page):
    ask(page, "blizzard whiteout", SHORT_RUN)
    wait_for_end(page)
    expect(page.locator("#sentence")).to_contain_text("Either word is enough")
    assert weights(page) == ["either 1.00"] * 2
    expect(page.locator("#words-chart .nothing")).to_contain_text("Any one word is enough")


def test_a_word_that_was_never_left_out_has_a_question_mark(page: Page):
    ask(page, INSTRUCTION, 4)
    wait_for_end(page)
    expect(page.locator("#heatmap .smile-unknown")).to_have_count(4)
    assert weights(page).count("?") == 4
    expect(page.locator("#sentence")).to_contain_text("Never left out, so nothing is known about")


def test_a_screen_reader_is_told_the_answer_at_the_end(page: Page):
    said = page.get_by_role("status").filter(has_text="drive")
    expect(said).to_have_count(0)
    ask(page, INSTRUCTION, 20)
    wait_for_end(page)
    expect(said).to_have_text(page.locator("#sentence").inner_text())
