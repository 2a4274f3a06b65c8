"""One browser and one server with the quick editor for all tests of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from smile_core.export import save_explanation
from tests.browser.chromium import browser, require_chromium
from tests.browser.driving import window
from tests.browser.running import quick_page
from tests.sample_explanations import sample_explanation


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser(require_chromium()) as started:
        yield started


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    example: Path = save_explanation(sample_explanation(), folder / "example")
    (example / "photo.txt").write_text("temple\n", encoding="utf-8")
    with quick_page(folder, delay_s=0.04, example=example) as served:
        yield served.url


@pytest.fixture
def page(chromium: Browser, url: str) -> Iterator[Page]:
    with window(chromium, url) as opened:
        yield opened
