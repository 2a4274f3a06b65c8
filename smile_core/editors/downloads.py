"""Fetching a model from the hub: the disk is checked first, and progress has a size and a time.

Whoever fetches a model from elsewhere shows its progress in the same way, see `under_way`.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import constants, snapshot_download
from huggingface_hub.utils import tqdm as hub_tqdm

from smile_core.config import ConfigError
from smile_core.editors.protocol import StopRequested

logger = logging.getLogger(__name__)

GIGABYTE = 1e9
_LOG_EVERY_S = 10.0
# Of the hub's bars, the one that counts the bytes of files as they are written.
_FILE_BAR = "huggingface_hub.snapshot_download"


@dataclass
class Download:
    """A download that is under way.

    Attributes
    ----------
    hub_id : str
        The model.
    total_bytes, done_bytes : int
        Bytes to fetch, and fetched so far.
    started : float
        When it began, by `time.monotonic`.
    stopped : bool
        Set to break it off; what has arrived is kept where the source allows it.
    """

    hub_id: str
    total_bytes: int
    done_bytes: int = 0
    started: float = field(default_factory=time.monotonic)
    stopped: bool = False
    _logged: float = field(default_factory=time.monotonic)

    def add(self, count: int) -> None:
        """Count bytes that were fetched, and log the state now and then.

        Raises
        ------
        StopRequested
            When it was stopped.
        """
        if self.stopped:
            raise StopRequested
        with _lock:
            self.done_bytes += count
            if time.monotonic() - self._logged > _LOG_EVERY_S:
                self._logged = time.monotonic()
                logger.info(self.line())

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the time left; None until it can be told."""
        if not self.done_bytes:
            return None
        elapsed = time.monotonic() - self.started
        return elapsed * (self.total_bytes - self.done_bytes) / self.done_bytes

    def line(self) -> str:
        """Return the state in one line: `Downloading a/b: 1.2 of 13.0 GB · 45 s left`."""
        size = f"{self.done_bytes / GIGABYTE:.1f} of {self.total_bytes / GIGABYTE:.1f} GB"
        left = self.seconds_left
        time_left = "" if left is None else f" · {left:.0f} s left"
        return f"Downloading {self.hub_id}: {size}{time_left}"


_lock = threading.Lock()
_current: Download | None = None


def current_download() -> Download | None:
    """Return the download under way, for whoever shows it; None when there is none."""
    return _current


@contextmanager
def under_way(download: Download) -> Iterator[Download]:
    """Make `download` the current one while it lasts."""
    global _current
    _current = download
    logger.info(download.line())
    try:
        yield download
    finally:
        _current = None


def fetch_files(hub_id: str, names: Sequence[str], missing: int) -> Path:
    """Download files of a model and return the folder they are in.

    Parameters
    ----------
    hub_id : str
        The model.
    names : sequence of str
        The files.
    missing : int
        Bytes of those that are not on this machine yet.

    Raises
    ------
    ConfigError
        When the disk is too small, or the download broke off.
    """
    check_disk(hub_id, missing, Path(constants.HF_HUB_CACHE))
    with under_way(Download(hub_id, missing)) as download:
        try:
            folder = snapshot_download(
                hub_id, allow_patterns=list(names), tqdm_class=_counting_bar()
            )
        except Exception as error:  # every layer below has its own word for a broken connection
            raise ConfigError(
                f"The download of {hub_id!r} broke off ({type(error).__name__}) after "
                f"{download.done_bytes / GIGABYTE:.1f} of {missing / GIGABYTE:.1f} GB. Try again: "
                "what has arrived is kept."
            ) from error
    return Path(folder)


def check_disk(hub_id: str, missing: int, folder: Path) -> None:
    """Refuse a download that the disk under `folder` has no room for.

    Raises
    ------
    ConfigError
        When it is too large.
    """
    present = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(present).free
    if missing > free:
        raise ConfigError(
            f"{hub_id!r} is a download of {missing / GIGABYTE:.1f} GB, and the disk of {folder} "
            f"has {free / GIGABYTE:.1f} GB free. Free some space, or point HF_HOME to another disk."
        )


def _counting_bar() -> type[hub_tqdm]:
    """Return the hub's progress bar, which also counts into `current_download`."""

    class CountingBar(hub_tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self._counts = options.get("name") == _FILE_BAR
            super().__init__(*arguments, **options)

        def update(self, n: float | None = 1) -> bool | None:
            download = _current
            if self._counts and download is not None:
                download.add(int(n or 0))
            return super().update(n)

    return CountingBar
