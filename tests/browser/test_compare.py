"""The Compare tab in a real browser, with two quick test editors."""

from __future__ import annotations

import json
import re
import time
import zipfile
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from playwright.sync_api import Page, expect

from components.inputs import PHOTOS
from smile_core.comparison_export import load_comparison
from tests.browser.server import OTHER_CARD

pytestmark = pytest.mark.browser

INSTRUCTION = "make it very snowy and a bit foggy"
# Every state of the numbers in the heatmaps that differs from the one before.
WATCH = """() => {
  window.seen = [];
  new MutationObserver(() => {
    const shown = [...document.querySelectorAll('#compare-heatmaps .smile-number')]
      .map((number) => number.textContent).join();
    if (/[0-9]/.test(shown) && shown !== window.seen.at(-1)) window.seen.push(shown);
  }).observe(document.querySelector('#compare-heatmaps'), {childList: true, subtree: true});
}"""


@pytest.fixture
def tab(page: Page) -> Page:
    page.locator("#tabs").get_by_role("tab", name="Compare").click()
    expect(page.locator("#compare")).to_be_visible()
    page.locator("#compare-by").get_by_label("Editors").check()
    expect(page.locator("#compare-editor-b")).to_be_visible()
    page.locator("#compare-editor-b input").click()
    page.get_by_role("option", name=OTHER_CARD.title, exact=True).click()
    page.fill("#compare-instruction-a textarea", INSTRUCTION)
    page.evaluate(WATCH)
    return page


def set_perturbations(page: Page, number: int) -> None:
    page.locator("#compare-perturbations input[type=range]").fill(str(number))


def wait_for_end(page: Page, word: str) -> None:
    expect(page.locator("#compare-status")).to_contain_text(word, timeout=30_000)
    expect(page.locator("#compare")).to_be_enabled(timeout=10_000)


def test_two_editors_from_the_choice_to_the_files(tab: Page, tmp_path: Path) -> None:
    set_perturbations(tab, 24)
    tab.keyboard.press("Control+Enter")
    expect(tab.locator("#compare")).to_be_disabled()
    wait_for_end(tab, "Finished in")
    assert len(tab.evaluate("window.seen")) >= 2
    expect(tab.locator("#compare-heatmaps .smile-heatmap")).to_have_count(3)  # and one legend
    expect(tab.locator("#compare-status")).to_contain_text("25 of 25 edits")
    rows = tab.locator("#compare-words tbody tr")
    expect(rows).to_have_count(len(INSTRUCTION.split()))
    expect(rows.filter(has_text="snowy").locator(".smile-apart")).to_be_visible()
    tab.locator("#compare-tabs").get_by_role("tab", name="Pictures").click()
    expect(tab.locator("#compare-pairs .pair img")).to_have_count(4)
    tab.locator("#compare-tabs").get_by_role("tab", name="Map").click()
    expect(tab.locator("#compare-map .point").first).to_be_attached()
    tab.locator("#compare-color input").click()
    tab.get_by_role("option", name='Kept "foggy"').click()
    expect(tab.locator("#compare-map")).to_contain_text("“foggy” kept")
    tab.locator("#compare-tabs").get_by_role("tab", name="Numbers").click()
    expect(tab.locator("#compare-numbers")).to_contain_text("Seconds")

    tab.locator("#compare-tabs").get_by_role("tab", name="Export").click()
    for name in ("report.html", "comparison.json", "comparison.zip"):
        with tab.expect_download() as download:
            tab.locator(f"#compare-links a[download='{name}']").click()
        download.value.save_as(tmp_path / name)
    assert len(json.loads((tmp_path / "comparison.json").read_text())["rows"]) == 8
    with zipfile.ZipFile(tmp_path / "comparison.zip") as files:
        files.extractall(tmp_path / "all")
    assert len(load_comparison(tmp_path / "all").explanations) == 2


def test_stop_answers_at_once_and_keeps_what_there_is(tab: Page) -> None:
    set_perturbations(tab, 120)
    tab.click("#compare")
    tab.wait_for_function("window.seen.length >= 2", timeout=30_000, polling=50)
    stopped = time.monotonic()
    tab.click("#compare-stop")
    expect(tab.locator("#compare-status")).to_contain_text("Stopped after", timeout=5000)
    assert time.monotonic() - stopped < 1.5  # the driver's own polling included
    wait_for_end(tab, "Stopped after")
    expect(tab.locator("#compare-links a")).to_have_count(0)  # the panel was never opened
    tab.locator("#compare-tabs").get_by_role("tab", name="Export").click()
    expect(tab.locator("#compare-links a")).to_have_count(3)


def test_two_columns_that_are_the_same_are_refused(tab: Page) -> None:
    tab.locator("#compare-by").get_by_label("Instructions").check()
    expect(tab.locator("#compare-editor-b")).to_be_hidden()
    tab.fill("#compare-instruction-b textarea", INSTRUCTION)
    tab.click("#compare")
    expect(tab.locator("#compare-message .alert")).to_contain_text("A and B are the same")
    tab.fill("#compare-instruction-b textarea", "make it snowy")
    set_perturbations(tab, 8)
    tab.click("#compare")
    wait_for_end(tab, "Finished in")
    expect(tab.locator("#compare-message .alert")).to_have_count(0)


def test_the_endpoint_compares_and_refuses_with_sentences(url: str) -> None:
    client = Client(url, verbose=False)
    photo = handle_file(str(PHOTOS["temple"]))
    given = {"perturbations": 6, "api_name": "/compare"}
    both = ["scene-pix2pix", OTHER_CARD.name]
    answer = client.predict(photo, ["make it snowy"], both, **given)
    assert [column["label"] for column in answer["columns"]] == both
    snowy = next(row for row in answer["rows"] if row["text"] == "snowy")
    assert [unit["text"] for unit in snowy["units"]] == ["snowy", "snowy"]
    assert answer["summary"]
    for instructions, editors, sentence in [
        (["make it snowy"], ["scene-pix2pix"], "two or three columns"),
        (["make it snowy"], ["scene-pix2pix", "nobody"], "Unknown editor"),
        (7, both, "instructions must be a list"),
    ]:
        with pytest.raises(AppError, match=re.escape(sentence)):
            client.predict(photo, instructions, editors, **given)
