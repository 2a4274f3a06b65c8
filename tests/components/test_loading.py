from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.loading import load_for, render_loading
from smile_core.config import ConfigError, RunConfig
from smile_core.editors import EditorCard, register_editor, registry
from smile_core.editors.downloads import Download, current_download, under_way
from tests.parsed_html import Page

CONFIG = RunConfig(instruction="make it snowy", editor="slow")


@pytest.fixture
def arrives() -> Iterator[threading.Event]:
    """An editor that is downloaded piece by piece, until the event is set."""
    before = dict(registry._REGISTRY)
    event = threading.Event()

    @register_editor(EditorCard(name="slow", title="Slow editor", family="test"))
    def make():
        with under_way(Download("lab/slow", 3_000_000_000)) as download:
            while not event.wait(0.02):
                download.add(10_000_000)
        return object()

    yield event
    event.set()
    registry._REGISTRY.clear()
    registry._REGISTRY.update(before)
    registry._load.cache_clear()


def test_a_download_is_told_with_size_and_time_until_it_is_there(arrives: threading.Event):
    lines = []
    for line in load_for(CONFIG, None, lambda: False):
        lines.append("".join(text for _, text in Page(line).with_tag("span")))
        if len(lines) == 3:
            arrives.set()
    assert re.fullmatch(r"Downloading lab/slow: \d+ MB of 3\.0 GB · about .+ left", lines[1])
    assert lines[0] != lines[2]
    assert list(load_for(CONFIG, None, lambda: False)) == []  # it is in memory now


def test_a_stop_breaks_the_download_off(arrives: threading.Event):
    stopped = threading.Event()
    for _ in load_for(CONFIG, None, stopped.is_set):
        stopped.set()
    deadline = time.monotonic() + 10
    while current_download() is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert current_download() is None
    assert not arrives.is_set()


def test_a_visitor_who_leaves_breaks_the_download_off(arrives: threading.Event):
    lines = load_for(CONFIG, None, lambda: False)
    next(lines)
    lines.close()
    deadline = time.monotonic() + 10
    while current_download() is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert current_download() is None


def test_what_cannot_be_loaded_is_said(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"no readable model_index\.json"):
        list(load_for(CONFIG.with_(editor=str(tmp_path)), None, lambda: False))


def test_without_a_download_the_name_and_the_seconds_are_told(tmp_path: Path):
    line = render_loading(CONFIG.with_(editor="<lab>/x"), 12.0, None)
    assert "Loading &lt;lab&gt;/x · 12 s" in line
    early = render_loading(CONFIG, 1.0, Download("lab/a", 200_000_000, done_bytes=1000))
    assert "left" not in early
    half = render_loading(CONFIG, 1.0, Download("lab/a", 200_000_000, done_bytes=100_000_000))
    assert "100 MB of 200 MB" in half
    assert 'aria-label="Downloaded"' in half
    assert "width:50.0%" in half
