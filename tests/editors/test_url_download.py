"""Fetching a file from a web address, from a real server on this machine."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from smile_core.config import ConfigError
from smile_core.editors import downloads
from smile_core.editors.url_download import fetch_url, size_of_url

CONTENT = bytes(range(256)) * 10_000


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("published")
    (folder / "weights.pkl").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/weights.pkl"
    server.shutdown()
    server.server_close()


def test_the_size_is_known_before_and_the_file_is_whole_after(address: str, tmp_path: Path) -> None:
    size = size_of_url(address)
    assert size == len(CONTENT)
    fetch_url(address, size, tmp_path / "weights.pkl")
    assert (tmp_path / "weights.pkl").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["weights.pkl"]


def test_a_download_shows_how_far_it_is(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(downloads, "_LOG_EVERY_S", 0.0)
    with caplog.at_level("INFO"):
        fetch_url(address, len(CONTENT), tmp_path / "weights.pkl")
    assert caplog.messages[0] == "Downloading weights.pkl: 0.0 of 0.0 GB"
    assert all(" s left" in message for message in caplog.messages[1:])
    assert downloads.current_download() is None


def test_the_terminal_has_a_bar(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    fetch_url(address, len(CONTENT), tmp_path / "weights.pkl")
    shown = capsys.readouterr().err
    assert "weights.pkl: 100%" in shown
    assert "2.56M/2.56M" in shown


def test_a_file_of_another_size_leaves_nothing_behind(address: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"broke off .* Try again"):
        fetch_url(address, len(CONTENT) + 1, tmp_path / "weights.pkl")
    assert list(tmp_path.iterdir()) == []
    assert downloads.current_download() is None


def test_a_full_disk_is_told_before_anything_is_fetched(address: str, tmp_path: Path) -> None:
    size = shutil.disk_usage(tmp_path).total * 2
    with pytest.raises(ConfigError, match="Free some space"):
        fetch_url(address, size, tmp_path / "weights.pkl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", ["/absent.pkl", None])
def test_no_answer_is_one_sentence(address: str, wrong: str | None) -> None:
    url = address.replace("/weights.pkl", wrong) if wrong else "http://127.0.0.1:9/weights.pkl"
    with pytest.raises(ConfigError, match=r"not on this machine .* Connect to the network"):
        size_of_url(url)
