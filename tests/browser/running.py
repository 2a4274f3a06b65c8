"""The page in a process of its own, on a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Running(NamedTuple):
    """A page that is being served: its address and its process."""

    url: str
    pid: int


@contextmanager
def quick_page(
    folder: Path,
    *,
    delay_s: float = 0.0,
    example: Path | None = None,
    file_limit: int | None = None,
    bundled: bool = False,
    **environment: str,
) -> Iterator[Running]:
    """Serve the page with the quick editor, see `tests.browser.server` for the options.

    `environment` holds further variables of its environment.
    """
    command = [sys.executable, "-m", "tests.browser.server", "--delay", str(delay_s)]
    command += ["--example", str(example)] if example else []
    command += ["--file-limit", str(file_limit)] if file_limit else []
    command += ["--bundled"] if bundled else []
    # glibc may give every new thread a heap of its own, whose growth would pass for a leak.
    variables = {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", **environment}
    with _running(command, folder, **variables) as page:
        yield page


@contextmanager
def real_page(folder: Path, *arguments: str) -> Iterator[Running]:
    """Serve the page as a user does: with the bundled editors, and arguments of its own."""
    with _running([sys.executable, "app.py", *arguments], folder) as page:
        yield page


@contextmanager
def _running(command: list[str], folder: Path, **environment: str) -> Iterator[Running]:
    """Run the command; the page's cache and temporary files go into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {
        **os.environ,
        "SMILE_CACHE_DIR": str(folder / "cache"),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "GRADIO_SERVER_PORT": str(port),
        "HF_HUB_OFFLINE": "1",
        **environment,
    }
    url = f"http://127.0.0.1:{port}/"
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            _wait_for(url, server, folder / "server.log")
            yield Running(url, server.pid)
        finally:
            server.terminate()
            server.wait(timeout=20)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"The page did not start:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"The page did not answer within {seconds} s:\n{log.read_text()}")
