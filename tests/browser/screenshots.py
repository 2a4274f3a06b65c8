"""Pictures of the page in all its states, to be looked at.

    python -m tests.browser.screenshots --out DIR [--url http://127.0.0.1:7871]

Without a URL it starts the page with the quick test editor. States: `first` (as a newcomer sees
it), `running`, `finished` (and each tab of evidence), `error`, `mask`, `method`; `answer-…` for
answers in which words have no weight of their own, and for many words; `editor-…` for editors that
want a key, or that somebody typed; and the like of the other tabs as `compare-…` and `evaluate-…`;
at 1440×900 and 390×844, light and dark. A server without a stored example shows the
empty page as `first`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from smile_core.editors.bundled_cards import bundled_folder
from tests.browser.chromium import browser, chromium_path
from tests.browser.driving import choose_editor, type_editor
from tests.browser.running import quick_page

SIZES = {"wide": (1440, 900), "phone": (390, 844)}
TABS = ("Gallery", "Map", "Fidelity", "Export")
EVALUATE_TABS = ("Tables", "Plots", "Export")
COMPARE_TABS = ("Words", "Pictures", "Map", "Numbers", "Export")
BILLED = "GPT Image 2.5 Flare, faster (OpenAI)"
GATED = "FLUX.1 Kontext dev"
# With the quick editor: nothing happened; either word is enough; words that were never left out;
# many words. By name, with the number of perturbations.
ANSWERS = {
    "nothing": ("add a hat to the cat", "32"),
    "either": ("blizzard whiteout", "32"),
    "unknown": ("make it very snowy and a bit foggy", "4"),
    "exact": ("make it snowy", "32"),
    "long": (
        "turn this day, with all of its people and all of its old houses, into a very snowy, and a "
        "bit foggy night",
        "60",
    ),
}


@contextmanager
def opened(chromium: Browser, url: str, size: tuple[int, int], theme: str) -> Iterator[Page]:
    """Yield the page in a window of its own."""
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=theme
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#explain")
    page.wait_for_timeout(1500)
    try:
        yield page
    finally:
        context.close()


def take(page: Page, path: Path) -> None:
    """Write the window as it is, and the whole page beside it."""
    page.wait_for_timeout(400)
    page.screenshot(path=path)
    page.screenshot(path=path.with_stem(path.stem + "-full"), full_page=True)


def take_tabs(page: Page, tabs: str, names: tuple[str, ...], path: Path) -> None:
    """Take a picture of each tab, called by `path` and the name of the tab."""
    for name in names:
        page.locator(tabs).get_by_role("tab", name=name).click()
        page.wait_for_timeout(800)
        take(page, path.with_stem(f"{path.stem}-{name.lower()}"))


def take_refusal(page: Page, button: str, message: str, path: Path) -> None:
    """Press a button whose settings are wrong, and take a picture of what is said."""
    page.click(button)
    page.wait_for_selector(f"{message} .alert")
    take(page, path)


def photograph(page: Page, out: Path, name: str, *, every_tab: bool) -> None:
    """Go through the states of the page."""
    take(page, out / f"{name}-first.png")
    page.fill("#instruction textarea", "Turn the day into a snowy night with fog.")
    page.locator("#perturbations input").fill("32")
    page.keyboard.press("Control+Enter")
    page.wait_for_function("/[1-9] of/.test(document.querySelector('#status').innerText)")
    take(page, out / f"{name}-running.png")
    page.wait_for_selector("#explain:not([disabled])", timeout=60_000)
    take(page, out / f"{name}-finished.png")
    if every_tab:
        take_tabs(page, "#evidence-tabs", TABS, out / f"{name}.png")
    page.locator("#perturbations input").fill("-1")
    take_refusal(page, "#explain", "#message", out / f"{name}-error.png")
    page.locator("#editor input").click()
    masked = page.get_by_role("option", name="with a mask")
    if masked.count():  # the quick editor has a sister that needs one
        masked.click()
        page.wait_for_selector("#mask canvas")
        page.locator("#mask").scroll_into_view_if_needed()
        take(page, out / f"{name}-mask.png")
    else:
        page.keyboard.press("Escape")
    page.locator("#tabs").get_by_role("tab", name="Method").click()
    take(page, out / f"{name}-method.png")


def photograph_answers(page: Page, out: Path, name: str) -> None:
    """Go through the answers that are no ranking of words; the page is as it was opened."""
    for state, (instruction, perturbations) in ANSWERS.items():
        page.fill("#instruction textarea", instruction)
        page.locator("#perturbations input").fill(perturbations)
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("#explain[disabled]")
        page.wait_for_selector("#explain:not([disabled])", timeout=60_000)
        page.evaluate("window.scrollTo(0, 0)")
        if page.locator("#result").bounding_box()["y"] > 600:  # below the inputs
            page.locator("#result").scroll_into_view_if_needed()
        take(page, out / f"{name}-answer-{state}.png")


def photograph_editors(page: Page, out: Path, name: str) -> None:
    """Go through what the Explain tab says of an editor; the page is as it was opened."""
    page.locator("#editor").scroll_into_view_if_needed()
    for state, title in (("key", BILLED), ("gated", GATED)):
        choose_editor(page, title)
        page.wait_for_function("/licence/.test(document.querySelector('#editor-card').innerText)")
        page.get_by_text("About this editor").first.click()
        if state == "key":
            page.fill("#key input", "sk-not-a-key-0123456789")
        take(page, out / f"{name}-editor-{state}.png")
    for state, typed in (("unknown", "lab/no-such-model"), ("folder", bundled_folder("one-step"))):
        type_editor(page, str(typed))
        page.wait_for_function(
            "!/Looking|34/.test(document.querySelector('#editor-card').innerText)"
        )
        take(page, out / f"{name}-editor-{state}.png")


def photograph_compared_editors(page: Page, out: Path, name: str) -> None:
    """Go through what the Compare tab says of its editors; the page is as it was opened."""
    page.locator("#tabs").get_by_role("tab", name="Compare").click()
    page.locator("#compare-by").get_by_label("Editors").check()
    for letter, title in (("b", BILLED), ("c", GATED)):
        page.locator(f"#compare-editor-{letter} input").click()
        page.get_by_role("option", name=title, exact=True).click()
    page.wait_for_selector("#compare-key-b:visible")
    page.locator("#compare-cards details[open]").wait_for()
    take(page, out / f"{name}-compare-key.png")


def photograph_comparison(page: Page, out: Path, name: str) -> None:
    """Go through the states of the Compare tab."""
    page.locator("#tabs").get_by_role("tab", name="Compare").click()
    page.wait_for_selector("#compare:visible")
    take(page, out / f"{name}-compare-first.png")
    page.locator("#compare-by").get_by_label("Settings").check()
    page.wait_for_selector("#compare-own textarea:visible")
    page.get_by_label("B: steps").fill("1")
    page.get_by_label("C: steps").fill("3")
    take(page, out / f"{name}-compare-settings.png")
    page.locator("#compare-by").get_by_label("Instructions").check()
    page.fill("#compare-instruction-a textarea", "Turn the day into a snowy night.")
    page.fill("#compare-instruction-b textarea", "Turn the day into a foggy night.")
    page.fill("#compare-perturbations input", "32")
    page.click("#compare")
    page.wait_for_function("/[1-9] of/.test(document.querySelector('#compare-status').innerText)")
    take(page, out / f"{name}-compare-running.png")
    page.wait_for_selector("#compare:not([disabled])", timeout=60_000)
    page.locator("#compare-tabs").get_by_role("tab", name="Export").click()
    page.wait_for_selector("#compare-links a", timeout=60_000)
    take_tabs(page, "#compare-tabs", COMPARE_TABS, out / f"{name}-compare.png")
    page.fill("#compare-perturbations input", "-1")
    take_refusal(page, "#compare", "#compare-message", out / f"{name}-compare-error.png")


def photograph_study(page: Page, out: Path, name: str) -> None:
    """Go through the states of the Evaluate tab, with a small grid."""
    page.locator("#tabs").get_by_role("tab", name="Evaluate").click()
    page.wait_for_selector("#evaluate:visible")
    take(page, out / f"{name}-evaluate-first.png")
    page.locator("#evaluate-kind").get_by_label("Your own grid").check()
    page.fill("#evaluate-perturbations textarea", "12, 24")
    page.wait_for_function("/edits/.test(document.querySelector('#evaluate-cost').innerText)")
    take(page, out / f"{name}-evaluate-grid.png")
    page.click("#evaluate")
    page.wait_for_selector("#evaluate-tables td", timeout=60_000)
    take(page, out / f"{name}-evaluate-running.png")
    page.wait_for_selector("#evaluate:not([disabled])", timeout=180_000)
    take_tabs(page, "#evaluate-tabs", EVALUATE_TABS, out / f"{name}-evaluate.png")
    page.fill("#evaluate-perturbations textarea", "many")
    take_refusal(page, "#evaluate", "#evaluate-message", out / f"{name}-evaluate-error.png")


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--url")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = chromium_path()
    assert path is not None
    with browser(path) as chromium:
        if given.url:
            _all(chromium, given.url, given.out)
        else:
            with quick_page(given.out / "work", delay_s=0.1) as served:
                _all(chromium, served.url, given.out)


def _all(chromium: Browser, url: str, out: Path) -> None:
    for size, pixels in SIZES.items():
        for theme in ("light", "dark"):
            with opened(chromium, url, pixels, theme) as page:
                photograph_editors(page, out, f"{size}-{theme}")
                photograph_compared_editors(page, out, f"{size}-{theme}")
            with opened(chromium, url, pixels, theme) as page:
                photograph_answers(page, out, f"{size}-{theme}")
            with opened(chromium, url, pixels, theme) as page:
                photograph(page, out, f"{size}-{theme}", every_tab=True)
                photograph_comparison(page, out, f"{size}-{theme}")
                photograph_study(page, out, f"{size}-{theme}")


if __name__ == "__main__":
    main()
