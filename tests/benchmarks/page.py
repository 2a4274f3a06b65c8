"""How long does a visitor of the page wait, warm, on this machine?

    python -m tests.benchmarks.page [--perturbations 64]

Starts the page as a user does, with the bundled editor, opens it in Chromium, and prints the
seconds from the click on Explain to the first heatmap and to the end, for an instruction of eight
words after a first run with other words; for the same asked again; and from the click on Stop to
the end of another run; and of comparing the two bundled editors. One more run ends when its words
have settled, as the page's runs do unless told else.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import tempfile
from pathlib import Path

import torch
from playwright.sync_api import expect

from tests.benchmarks.speed import INSTRUCTION, WARM_UP
from tests.browser.chromium import MISSING, browser, chromium_path
from tests.browser.driving import compare, explain, keep_going, stop_after, window
from tests.browser.running import real_page

PATIENCE_S = 600
COMPARED = "please let this place be a foggy night"  # eight words, too
TO_BE_SETTLED = "please let us have a stormy autumn night"
TO_BE_STOPPED = "turn this quiet place into a stormy night"


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--perturbations", type=int, default=64)
    n = parser.parse_args().perturbations
    path = chromium_path()
    if path is None:
        raise SystemExit(MISSING)
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}")
    with (
        tempfile.TemporaryDirectory() as folder,
        real_page(Path(folder)) as served,
        browser(path) as chromium,
        window(chromium, served.url) as page,
    ):
        # The trial at the start of the server is over as soon as the page knows the seconds.
        expect(page.locator("#cost")).to_contain_text(re.compile(" s "), timeout=1000 * PATIENCE_S)
        print(f"said beforehand: {page.locator('#cost').inner_text()}")
        explain(page, WARM_UP, 4, PATIENCE_S)
        settled = explain(page, TO_BE_SETTLED, n, PATIENCE_S)
        made = page.locator("#status").inner_text().split(" edits")[0]
        keep_going(page)
        first = explain(page, INSTRUCTION, n, PATIENCE_S)
        again = explain(page, INSTRUCTION, n, PATIENCE_S)
        stopped = stop_after(page, 2, TO_BE_STOPPED, 256, PATIENCE_S)
        page.locator("#tabs").get_by_role("tab", name="Compare").click()
        keep_going(page, "compare-")
        compared = compare(page, COMPARED, n, PATIENCE_S)
    print(f"first heatmap {first.first_heatmap:.2f} s after the click")
    print(f"{n} perturbations in {first.whole:.1f} s, with {first.heatmaps} heatmaps on the way")
    print(f"another instruction of eight words, until settled: {made} edits, {settled.whole:.1f} s")
    print(f"the same asked again: {again.whole:.2f} s")
    print(f"stopped {stopped.stop:.2f} s after the click on Stop")
    print(f"both bundled editors compared, {n} perturbations each, in {compared:.1f} s")


if __name__ == "__main__":
    main()
