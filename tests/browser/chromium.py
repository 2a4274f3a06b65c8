"""Finding the system's Chromium and starting it quietly."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = "There is no Chromium here. Install one (Debian: apt-get install chromium)."


def chromium_path() -> str | None:
    """Return where the system's Chromium is, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def require_chromium() -> str:
    """Return where Chromium is; without one the test is skipped, and in CI it fails."""
    path = chromium_path()
    if path is None and os.environ.get("CI"):
        pytest.fail(MISSING)
    if path is None:
        pytest.skip(MISSING)
    return path


@contextmanager
def browser(path: str) -> Iterator[Browser]:
    """Yield a headless browser."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield started
        finally:
            started.close()
