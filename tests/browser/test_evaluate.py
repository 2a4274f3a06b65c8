"""The Evaluate tab in a real browser: a grid on a quick editor, from its cost to its files."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from smile_core.config import RunConfig
from smile_core.evaluation.study_file import STUDY_FOLDER
from tests.browser.driving import window
from tests.browser.running import quick_page
from tests.browser.server import BUNDLED_CARDS, KEPT_CARD

pytestmark = pytest.mark.browser

BATCH = RunConfig(instruction="any").batch_size
# Every state of the tables that differs from the one before.
WATCH = """() => {
  window.seen = [];
  new MutationObserver(() => {
    const shown = [...document.querySelectorAll('#evaluate-tables td')]
      .map((cell) => cell.textContent).join();
    if (shown && shown !== window.seen.at(-1)) window.seen.push(shown);
  }).observe(document.querySelector('#evaluate-tables'), {childList: true, subtree: true});
}"""
TEXTS = (
    "Turn the *snowy* day into a *foggy* one",
    "Make it very *snowy* at last",
    "Please give me some *fog* over there",
    "Let there be a *sunset* with clouds",
)


@pytest.fixture
def tab(page: Page) -> Page:
    open_tab(page)
    page.locator("#evaluate-kind").get_by_label("Your own grid").check()
    expect(page.locator("#evaluate-instructions")).to_be_visible()
    choose_editor(page, KEPT_CARD.title)
    page.evaluate(WATCH)
    return page


def open_tab(page: Page) -> None:
    page.locator("#tabs").get_by_role("tab", name="Evaluate").click()
    expect(page.locator("#evaluate")).to_be_visible()


def choose_editor(page: Page, title: str) -> None:
    """Choose this editor alone."""
    page.locator("#evaluate-editors").get_by_role("button", name="Remove").first.click()
    page.locator("#evaluate-editors input").click()
    page.get_by_role("option", name=title, exact=True).click()
    page.keyboard.press("Escape")


def ask(page: Page, texts: tuple[str, ...], perturbations: str) -> None:
    page.fill("#evaluate-instructions textarea", "\n".join(texts))
    page.fill("#evaluate-perturbations textarea", perturbations)


def status_numbers(page: Page, pattern: str) -> list[int]:
    found = re.search(pattern, page.locator("#evaluate-status").inner_text())
    assert found is not None, page.locator("#evaluate-status").inner_text()
    return [int(number.replace(",", "")) for number in found.groups()]


def wait_for_end(page: Page, word: str) -> None:
    expect(page.locator("#evaluate-status")).to_contain_text(word, timeout=60_000)
    expect(page.locator("#evaluate")).to_be_enabled(timeout=10_000)


def test_a_grid_from_its_cost_to_its_files(tab: Page, tmp_path: Path) -> None:
    ask(tab, TEXTS[:3], "12, 24")
    cost = tab.locator("#evaluate-cost")
    # Accuracy and fidelity are asked of the same edits.
    expect(cost).to_contain_text(re.compile(r"12 explanations of \d+ edits"), timeout=20_000)
    expect(cost).to_contain_text("to make at most")
    tab.keyboard.press("Control+Enter")
    expect(tab.locator("#evaluate")).to_be_disabled()
    wait_for_end(tab, "Finished in")
    assert len(tab.evaluate("window.seen")) >= 2
    expect(tab.locator("#evaluate-overview li.done")).to_have_count(2)
    tables = tab.locator("#evaluate-tables")
    expect(tables.locator("th.paper").first).to_contain_text("paper")
    assert tables.locator("td.paper").count() > 0
    tab.locator("#evaluate-part input").click()
    tab.get_by_role("option", name="Fidelity", exact=True).click()
    expect(tables.locator("h2")).to_have_text(["Fidelity"])

    tab.locator("#evaluate-tabs").get_by_role("tab", name="Plots").click()
    expect(tab.locator("#evaluate-plots .js-plotly-plot").first).to_be_visible()

    tab.locator("#evaluate-tabs").get_by_role("tab", name="Export").click()
    names = ("report.html", "results.csv", "summary.csv", "summary.md", "timings.csv",
             "study.yaml", "study.zip")  # fmt: skip
    for name in names:
        with tab.expect_download() as download:
            tab.locator(f"#evaluate-links a[download='{name}']").click()
        download.value.save_as(tmp_path / name)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text())))
    assert {row["editor"] for row in rows} == {KEPT_CARD.name}
    words = {row["word"] for row in rows if row["keyword"] == "1"}
    assert words == {"snowy", "foggy", "fog"}
    with zipfile.ZipFile(tmp_path / "study.zip") as files:
        assert set(files.namelist()) == set(names) - {"study.zip"}


def test_stop_keeps_what_there_is_and_resume_makes_no_edit_twice(tab: Page) -> None:
    ask(tab, TEXTS, "60")
    expect(tab.locator("#evaluate-cost")).to_contain_text("8 explanations", timeout=20_000)
    tab.click("#evaluate")
    tab.wait_for_function("window.seen.length >= 1", timeout=30_000, polling=50)
    tab.click("#evaluate-stop")
    wait_for_end(tab, "Stopped after")
    kept = tab.locator("#evaluate-tables td").all_inner_texts()
    assert kept
    done, edits, made = status_numbers(tab, r"([\d,]+) of ([\d,]+) edits.*?([\d,]+) edits made")
    assert 0 < made < edits
    button = tab.locator("#evaluate")
    expect(button).to_have_text("Resume", timeout=20_000)
    expect(tab.locator("#evaluate-cost")).to_contain_text("of them there already")
    button.click()
    wait_for_end(tab, "Finished in")
    after, all_edits, more = status_numbers(
        tab, r"([\d,]+) of ([\d,]+) edits.*?([\d,]+) edits made"
    )
    assert after == all_edits == edits
    # Those of the batch that was broken off are kept, but came too late to be counted.
    assert edits - done - BATCH < more <= edits - done
    expect(button).to_have_text("Run study", timeout=20_000)


def test_what_cannot_be_run_is_said(tab: Page) -> None:
    message = tab.locator("#evaluate-message .alert")
    ask(tab, ("Make it snowy",), "12")
    tab.click("#evaluate")
    expect(message).to_contain_text("*asterisks* around them in “Make it snowy”", timeout=20_000)
    ask(tab, ("Make it *snowy*",), "many")
    expect(tab.locator("#evaluate-cost")).to_contain_text("not 'many'", timeout=20_000)
    tab.click("#evaluate")
    expect(message).to_contain_text("not 'many'")
    ask(tab, ("Make it *snowy*",), "4")
    tab.click("#evaluate")
    wait_for_end(tab, "Finished in")
    expect(message).to_have_count(0)


@pytest.fixture
def studies(chromium: Browser, tmp_path: Path) -> Iterator[Page]:
    """Open a page on which every editor that ships is a quick one."""
    with (
        quick_page(tmp_path / "page", delay_s=0.03, bundled=True) as served,
        window(chromium, served.url) as opened,
    ):
        open_tab(opened)
        opened.evaluate(WATCH)
        yield opened


def choose_study(page: Page, title: str) -> None:
    page.locator("#evaluate-study input").click()
    page.get_by_role("option", name=title, exact=True).click()


def test_a_ready_made_study_to_its_end_and_its_files(studies: Page, tmp_path: Path) -> None:
    choose_study(studies, "Cost (Table VIII)")
    cost = studies.locator("#evaluate-cost")
    expect(cost).to_contain_text("16 explanations of 248 edits, 248 to make", timeout=20_000)
    studies.click("#evaluate")
    studies.wait_for_function("window.seen.length >= 1", timeout=60_000, polling=50)
    studies.click("#evaluate-stop")
    wait_for_end(studies, "Stopped after")
    kept = studies.locator("#evaluate-tables tbody tr").count()
    assert kept >= 1
    plots = studies.locator("#evaluate-plots .js-plotly-plot")
    studies.locator("#evaluate-tabs").get_by_role("tab", name="Plots").click()
    expect(plots).to_have_count(1)
    bars = "element => element.data.flatMap((trace) => trace.y).length"
    fewer = plots.evaluate(bars)

    button = studies.locator("#evaluate")
    expect(button).to_have_text("Resume", timeout=20_000)
    button.click()
    wait_for_end(studies, "Finished in")
    done, edits, made = status_numbers(studies, r"([\d,]+) of ([\d,]+) edits.*?([\d,]+) edits made")
    assert done == edits == 248 > made
    expect(studies.locator("#evaluate-overview li.done")).to_have_count(1)
    assert plots.evaluate(bars) >= fewer
    studies.locator("#evaluate-tabs").get_by_role("tab", name="Tables").click()
    table = studies.locator("#evaluate-tables table").last
    expect(table.locator("tbody tr")).to_have_count(8)  # two editors, four methods
    expect(table.locator("tbody tr").first).to_contain_text("1013.35")
    expect(table.locator("th.paper")).to_have_text(["Seconds, paper"])

    studies.locator("#evaluate-tabs").get_by_role("tab", name="Export").click()
    with studies.expect_download() as download:
        studies.locator("#evaluate-links a[download='study.zip']").click()
    download.value.save_as(tmp_path / "study.zip")
    with zipfile.ZipFile(tmp_path / "study.zip") as files:
        assert files.read("study.yaml") == (STUDY_FOLDER / "cost.yaml").read_bytes()
        rows = list(csv.DictReader(io.StringIO(files.read("results.csv").decode())))
        assert b"1013.35" in files.read("summary.md")
        assert b"Plotly.newPlot(" in files.read("report.html")
    assert {row["editor"] for row in rows} == {card.name for card in BUNDLED_CARDS}
    assert len(rows) == 16 * 7  # seven words
    assert not any(row["failed"] for row in rows)


def test_the_page_says_why_words_alone_reach_the_published_stability(studies: Page) -> None:
    choose_study(studies, "Stability (Table II)")
    about = studies.locator("#evaluate-about")
    expect(about).to_contain_text("0.85 for every editor can be reached by the words alone")
    choose_study(studies, "All tables, quickly")
    parts = studies.locator("#evaluate-parts")
    expect(parts.locator("input")).to_have_count(13)
    for box in parts.locator("label:has(input)").all():
        if "stability" not in box.inner_text():
            box.locator("input").uncheck()
    expect(studies.locator("#evaluate-cost")).to_contain_text("20 explanations", timeout=20_000)
    studies.click("#evaluate")
    notes = studies.locator("#evaluate-tables .table-notes")
    expect(notes).to_contain_text("Why 0.85 for every editor can be reached", timeout=60_000)
    expect(notes).to_contain_text("0.857 for six words")
    wait_for_end(studies, "Finished in")


def test_a_ready_made_study_shows_its_parts(page: Page) -> None:
    open_tab(page)
    parts = page.locator("#evaluate-parts input")
    expect(parts).to_have_count(13)
    choose_study(page, "Accuracy (Table I)")
    expect(parts).to_have_count(2)
    expect(page.locator("#evaluate-about")).to_contain_text("one prompt on ten photos")
