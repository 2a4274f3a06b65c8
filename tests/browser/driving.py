"""What a visitor does on the page, and a clock in the browser that times the answers."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from playwright.sync_api import Browser, Locator, Page, expect

# Milliseconds of the last click on Explain, of the last one on Stop, of every heatmap that differs
# from the one before, and of the end of the run. Gradio draws the old values once more after the
# click, so nothing counts until the heatmap is without numbers.
CLOCK = """() => {
  const clock = window.clock = {};
  document.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button?.id === 'explain') {
      Object.assign(clock, {asked: performance.now(), heatmaps: [], begun: false, ended: null});
    } else if (button?.id === 'stop') clock.stop = performance.now();
  }, true);
  const watch = (selector, look) => new MutationObserver(look).observe(
    document.querySelector(selector), {childList: true, subtree: true, characterData: true});
  watch('#heatmap', () => {
    const numbers = [...document.querySelectorAll('#heatmap .smile-number')];
    const shown = numbers.map((number) => number.textContent).join();
    if (!/[0-9]/.test(shown)) clock.begun = true;
    else if (clock.begun && clock.asked && shown !== clock.shown) {
      clock.heatmaps.push(performance.now());
    }
    clock.shown = shown;
  });
  watch('#status', () => {
    const text = document.querySelector('#status').innerText;
    if (clock.begun && / in .* seed|Stopped/.test(text)) clock.ended ??= performance.now();
  });
}"""
# Drops a file on the page as a person would.
DROP = """([name, type, data, padding]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes, new Uint8Array(padding)], name, {type}));
  document.querySelector('#result').dispatchEvent(
    new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""


class Times(NamedTuple):
    """Seconds of the last run, from the click on.

    Attributes
    ----------
    first_heatmap : float
        From the click on Explain to the first heatmap with numbers.
    whole : float
        From the click on Explain to the end of the run.
    stop : float
        From the click on Stop to the end of the run; nonsense for a run that was not stopped.
    heatmaps : int
        How many different heatmaps were seen.
    """

    first_heatmap: float
    whole: float
    stop: float
    heatmaps: int


@contextmanager
def window(chromium: Browser, url: str, **options: object) -> Iterator[Page]:
    """Yield the page in a window of its own; a script on it that fails is an error."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, **options)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    open_page(page, url)
    try:
        yield page
    finally:
        context.close()
    assert problems == []


def open_page(page: Page, url: str) -> None:
    """Go to the page and wait until it is ready."""
    page.goto(url)
    expect(page.locator("#explain")).to_be_enabled(timeout=15_000)
    expect(page.locator("#cost")).to_contain_text(re.compile("edits|Write"), timeout=15_000)
    page.evaluate(CLOCK)


def ask(page: Page, instruction: str, perturbations: int | str) -> None:
    """Type the instruction and the number, and press Ctrl+Enter."""
    page.fill("#instruction textarea", instruction)
    page.fill("#perturbations input", str(perturbations))
    page.keyboard.press("Control+Enter")


def keep_going(page: Page, tab: str = "") -> None:
    """Switch off that a run ends when its words have settled, on Explain or on `compare-`."""
    page.locator(f"#{tab}advanced button").first.click()
    page.locator(f"#{tab}setting-stop_when_settled input").uncheck()


def choose_editor(page: Page, title: str) -> None:
    """Choose an editor from the menu."""
    page.locator("#editor input").click()
    page.get_by_role("option", name=title, exact=True).click()


def type_editor(page: Page, name: str) -> None:
    """Type the name of an editor that is not in the menu."""
    page.fill("#editor input", name)
    page.press("#editor input", "Tab")


def wait_for_end(page: Page, seconds: float = 30) -> None:
    """Wait until the run has ended and its buttons are back."""
    ended = re.compile(r"edits(, all from the cache,)? in|Stopped")
    expect(page.locator("#status")).to_contain_text(ended, timeout=1000 * seconds)
    expect(page.locator("#explain")).to_be_enabled(timeout=1000 * seconds)


def explain(page: Page, instruction: str, perturbations: int, seconds: float = 30) -> Times:
    """Explain from the click to the end, and return how long it took."""
    ask(page, instruction, perturbations)
    expect(page.locator("#explain")).to_be_disabled()
    wait_for_end(page, seconds)
    return times(page)


def explain_nothing(page: Page, instruction: str, seconds: float = 30) -> None:
    """Explain, and look at an answer in which no word has a colour or a number."""
    ask(page, instruction, 32)
    expect(page.locator("#sentence")).to_contain_text("changed nothing", timeout=1000 * seconds)
    wait_for_end(page, seconds)
    assert weights(page) == ["–"] * len(instruction.split())
    expect(page.locator("#heatmap [style*=background]")).to_have_count(0)


def compare(page: Page, instruction: str, perturbations: int, seconds: float) -> float:
    """Compare the two editors that the tab opens with; return the seconds from the click on."""
    page.locator("#tabs").get_by_role("tab", name="Compare").click()
    page.fill("#compare-instruction-a textarea", instruction)
    page.fill("#compare-perturbations input", str(perturbations))
    started = time.monotonic()
    page.click("#compare")
    expect(page.locator("#compare")).to_be_disabled()
    expect(page.locator("#compare-status")).to_contain_text("Finished in", timeout=1000 * seconds)
    return time.monotonic() - started


def stop_after(
    page: Page, heatmaps: int, instruction: str, perturbations: int, seconds: float = 30
) -> Times:
    """Explain until the heatmap was drawn so often, then stop, and return how long it took."""
    ask(page, instruction, perturbations)
    expect(page.locator("#explain")).to_be_disabled()
    page.wait_for_function(
        f"window.clock.heatmaps?.length >= {heatmaps}", timeout=1000 * seconds, polling=50
    )
    page.click("#stop")
    wait_for_end(page, seconds)
    return times(page)


def times(page: Page) -> Times:
    """Return how long the last run took."""
    clock = page.evaluate("window.clock")
    return Times(
        first_heatmap=(clock["heatmaps"][0] - clock["asked"]) / 1000,
        whole=(clock["ended"] - clock["asked"]) / 1000,
        stop=(clock["ended"] - clock.get("stop", clock["ended"])) / 1000,
        heatmaps=len(clock["heatmaps"]),
    )


def drop(page: Page, name: str, data: bytes, kind: str = "image/png", padding: int = 0) -> None:
    """Drop a file anywhere on the page; `padding` zero bytes follow its data."""
    page.evaluate(DROP, [name, kind, base64.b64encode(data).decode(), padding])


def paint(canvas: Locator) -> None:
    """Draw a stroke across the middle of a canvas."""
    canvas.evaluate("canvas => canvas.scrollIntoView({block: 'center'})")
    box = canvas.bounding_box()
    assert box is not None
    middle, mouse = box["y"] + box["height"] / 2, canvas.page.mouse
    mouse.move(box["x"] + box["width"] * 0.35, middle)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.65, middle, steps=12)
    mouse.up()


def weights(page: Page) -> list[str]:
    """Return the numbers of the heatmap."""
    return page.locator("#heatmap .smile-number").all_inner_texts()


def edits(page: Page) -> Locator:
    """Return the figures of the run in the gallery, the reference among them."""
    return page.locator("#gallery figure:not(#edit-without)")
