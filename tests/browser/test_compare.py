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
from PIL import Image
from playwright.sync_api import Page, expect

from components.inputs import PHOTOS
from smile_core.comparison_export import load_comparison
from smile_core.export import save_explanation
from tests.browser.driving import drop, keep_going, open_page, paint
from tests.browser.server import MASK_CARD, OTHER_CARD
from tests.sample_explanations import sample_explanation

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
    open_tab(page)
    page.locator("#compare-by").get_by_label("Editors").check()
    expect(page.locator("#compare-editor-b")).to_be_visible()
    choose_editor(page, "b", OTHER_CARD.title)
    page.fill("#compare-instruction-a textarea", INSTRUCTION)
    page.evaluate(WATCH)
    return page


def set_perturbations(page: Page, number: int) -> None:
    page.fill("#compare-perturbations input", str(number))


def choose_editor(page: Page, letter: str, title: str) -> None:
    page.locator(f"#compare-editor-{letter} input").click()
    page.get_by_role("option", name=title, exact=True).click()


def numbers(page: Page) -> list[str]:
    """Return the numbers in the heatmaps of all columns."""
    return page.locator("#compare-heatmaps .smile-number").all_inner_texts()


def open_tab(page: Page) -> None:
    page.locator("#tabs").get_by_role("tab", name="Compare").click()
    expect(page.locator("#compare")).to_be_visible()


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
    expect(tab.locator("#compare-status")).to_contain_text("22 of 22 edits")
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
    keep_going(tab, "compare-")
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


def test_the_number_of_perturbations_follows_the_longest_column(tab: Page) -> None:
    number = tab.locator("#compare-perturbations input")
    automatic = tab.get_by_label("at least 64")
    expect(number).to_have_value("64")
    tab.locator("#compare-by").get_by_label("Instructions").check()
    tab.fill("#compare-instruction-b textarea", " ".join(f"word{i}" for i in range(40)))
    expect(number).to_have_value("160")
    set_perturbations(tab, 8)
    expect(automatic).not_to_be_checked()
    tab.fill("#compare-instruction-b textarea", "make it snowy")
    expect(tab.locator("#compare-cost")).to_contain_text("(10 + 8)")
    expect(number).to_have_value("8")
    automatic.check()
    expect(number).to_have_value("64")


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


def test_two_settings_of_one_editor_their_cost_and_their_link(tab: Page) -> None:
    tab.locator("#compare-by").get_by_label("Settings").check()
    expect(tab.locator("#compare-editor-b")).to_be_hidden()
    boxes = tab.locator("#compare-own input:visible, #compare-own textarea:visible")
    expect(boxes).to_have_count(12)  # steps, two guidance scales and the seed, for three columns
    expect(tab.get_by_label("A: steps")).to_have_attribute("placeholder", "4")
    cost = tab.locator("#compare-cost")
    expect(cost).to_contain_text("A and B are the same")
    set_perturbations(tab, 8)
    tab.get_by_label("B: guidance_scale", exact=True).fill("3")
    expect(cost).to_contain_text("20 edits (10 + 10)")
    tab.get_by_label("C: seed").fill("5")
    expect(cost).to_contain_text("30 edits (10 + 10 + 10)")
    tab.click("#compare")
    wait_for_end(tab, "Finished in")
    expect(tab.locator("#compare-heatmaps h3")).to_have_text(
        [re.compile("default guidance scale"), re.compile("guidance scale 3"), re.compile("seed 5")]
    )
    expect(cost).to_contain_text(re.compile("30 edits .*, (about|less than)"))
    shown = numbers(tab)

    address = tab.url
    assert "guidance_scale.b=3" in address
    tab.goto(address)
    expect(tab.locator("#compare-sentence")).to_contain_text("Opened from a link", timeout=20_000)
    expect(tab.locator("#compare")).to_be_visible()
    expect(tab.locator("#sentence")).to_be_hidden()
    assert tab.input_value("#compare-instruction-a textarea") == INSTRUCTION
    assert tab.input_value("#compare-perturbations input") == "8"
    expect(tab.get_by_label("B: guidance_scale", exact=True)).to_have_value("3")
    expect(tab.get_by_label("C: seed")).to_have_value("5")
    tab.click("#compare")
    wait_for_end(tab, "Finished in")
    assert numbers(tab) == shown


def test_a_box_goes_with_the_knob_of_its_editor(tab: Page) -> None:
    tab.locator("#compare-own button").first.click()
    expect(tab.get_by_label("B: steps")).to_be_visible()
    expect(tab.get_by_label("C: steps")).to_be_hidden()
    choose_editor(tab, "c", "SD-Turbo, image to image")
    expect(tab.get_by_label("C: steps")).to_have_attribute("placeholder", "2")
    expect(tab.get_by_label("C: strength")).to_have_attribute("placeholder", "0.5")
    expect(tab.get_by_label("A: strength")).to_be_hidden()
    tab.get_by_label("C: strength").fill("0.9")
    choose_editor(tab, "c", "No third one")
    expect(tab.get_by_label("C: strength")).to_be_hidden()
    expect(tab.locator("#compare-cost")).to_contain_text("132 edits (66 + 66)")


def test_a_broken_link_says_so(page: Page, url: str) -> None:
    page.goto(url + "?instruction=make+it+snowy&steps.a=1&steps.b=many")
    alert = page.locator("#compare-message .alert")
    expect(alert).to_contain_text("not 'many'", timeout=20_000)
    expect(page.locator("#compare")).to_be_visible()


def test_a_comparison_is_restored_from_its_json(tab: Page, url: str, tmp_path: Path) -> None:
    set_perturbations(tab, 12)
    tab.locator("#compare-own button").first.click()
    tab.get_by_label("B: steps").fill("2")
    tab.locator("#compare-advanced button").first.click()
    tab.locator("#compare-setting-surrogate input").click()
    tab.get_by_role("option", name="ridge", exact=True).click()
    tab.click("#compare")
    wait_for_end(tab, "Finished in")
    shown, file = numbers(tab), tmp_path / "comparison.json"
    tab.locator("#compare-tabs").get_by_role("tab", name="Export").click()
    with tab.expect_download() as download:
        tab.locator("#compare-links a[download='comparison.json']").click()
    download.value.save_as(file)
    assert load_comparison(file).columns[1].config.surrogate == "ridge"

    # Dropped on the Explain tab of a fresh page, then chosen on the tab itself.
    open_page(tab, url)
    drop(tab, file.name, file.read_bytes(), "application/json")
    assert_restored(tab, shown)
    open_page(tab, url)
    open_tab(tab)
    tab.locator("#compare-tabs").get_by_role("tab", name="Export").click()
    tab.set_input_files("#compare-tabs input[type=file]", file)
    assert_restored(tab, shown)
    tab.click("#compare")
    wait_for_end(tab, "Finished in")
    assert numbers(tab) == shown
    tab.set_input_files("#compare-tabs input[type=file]", _explanation(tmp_path))
    expect(tab.locator("#compare-message .alert")).to_contain_text("not a comparison")


def assert_restored(page: Page, shown: list[str]) -> None:
    expect(page.locator("#compare-status")).to_contain_text("Restored from", timeout=20_000)
    assert numbers(page) == shown
    assert page.input_value("#compare-instruction-a textarea") == INSTRUCTION
    assert page.input_value("#compare-editor-b input") == OTHER_CARD.title
    assert page.input_value("#compare-perturbations input") == "12"
    expect(page.get_by_label("B: steps")).to_have_value("2")
    expect(page.locator("#compare-message .alert")).to_have_count(0)


def _explanation(folder: Path) -> Path:
    return save_explanation(sample_explanation(), folder / "one") / "explanation.json"


def test_a_painted_mask_is_for_the_columns_that_need_one(tab: Page) -> None:
    expect(tab.locator("#compare-mask")).to_be_hidden()
    choose_editor(tab, "b", MASK_CARD.title)
    canvas = tab.locator("#compare-mask-drawing canvas")
    expect(canvas).to_be_visible()
    set_perturbations(tab, 6)
    tab.click("#compare")
    expect(tab.locator("#compare-message .alert")).to_contain_text("edits only inside a mask")
    paint(canvas)
    choose_editor(tab, "c", OTHER_CARD.title)  # and what is painted stays
    expect(tab.locator("#compare-cost")).to_contain_text("(8 + 8 + 8)")
    tab.click("#compare")
    wait_for_end(tab, "Finished in")
    notes = tab.locator("#compare-sentence")
    expect(notes).to_contain_text(
        re.compile(r"quick-mask: The editor was given .* covers [1-3]?\d %")
    )
    expect(notes).not_to_contain_text("quick-other: The editor")
    # Another photo takes another mask.
    tab.locator("#compare-inputs button[data-value=coffee]").click()
    expect(tab.locator("#compare-photo img")).to_have_attribute("src", re.compile("coffee"))
    expect(canvas).to_be_visible()
    tab.click("#compare")
    expect(tab.locator("#compare-message .alert")).to_contain_text("edits only inside a mask")
    tab.locator("#compare-mask-whole input").check()
    tab.click("#compare")
    wait_for_end(tab, "Finished in")
    expect(notes).to_contain_text("covers 100 % of the picture")


def test_the_endpoint_compares_and_refuses_with_sentences(url: str) -> None:
    client = Client(url, verbose=False)
    photo = handle_file(str(PHOTOS["temple"]))
    given = {"perturbations": 6, "api_name": "/compare"}
    both = ["scene-pix2pix", OTHER_CARD.name]
    answer = client.predict(photo, ["make it snowy"], both, api_name="/compare")
    assert [column["config"]["perturbations"] for column in answer["columns"]] == [None, None]
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


def test_the_endpoint_compares_settings_and_takes_a_mask(url: str, tmp_path: Path) -> None:
    client = Client(url, verbose=False)
    photo = handle_file(str(PHOTOS["temple"]))
    with Image.open(PHOTOS["temple"]) as opened:
        Image.new("L", opened.size, 255).save(tmp_path / "mask.png")
    mask = handle_file(str(tmp_path / "mask.png"))

    def ask(editors: list[str], **more: object) -> dict:
        words = ["make it snowy"]
        return client.predict(
            photo, words, editors, perturbations=6, seed=3, api_name="/compare", **more
        )

    answer = ask(["scene-pix2pix"], settings={"steps": [1, 4], "guidance_scale": 2.0})
    configs = [column["config"] for column in answer["columns"]]
    assert [config["steps"] for config in configs] == [1, 4]
    assert {(config["guidance_scale"], config["seed"]) for config in configs} == {(2.0, 3)}
    seeds = ask(["scene-pix2pix"], settings={"seed": [1, 2]})["columns"]
    assert [column["config"]["seed"] for column in seeds] == [1, 2]
    masked = [MASK_CARD.name, "scene-pix2pix"]
    assert len(ask(masked, mask=mask)["columns"]) == 2
    both = ["scene-pix2pix", OTHER_CARD.name]
    for editors, more, sentence in [
        (masked, {}, "edits only inside a mask"),
        (both, {"mask": mask}, "None of these editors takes a mask"),
        (both, {"key_b": "secret"}, "No column has any use for key_b"),
        (both, {"settings": {"surrogate": "ridge"}}, "settings must be an object with some of"),
        (both, {"settings": {"steps": [1, 2, 3]}}, "The columns do not match"),
        (both, {"settings": {"steps": 0}}, "steps"),
    ]:
        with pytest.raises(AppError, match=re.escape(sentence)):
            ask(editors, **more)
