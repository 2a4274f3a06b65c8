"""Fetching one file from a web address: size and disk are checked first, progress is shown."""

from __future__ import annotations

import os
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

from huggingface_hub.utils import tqdm as hub_tqdm

from smile_core.config import ConfigError
from smile_core.editors.downloads import GIGABYTE, Download, check_disk, under_way

_TIMEOUT_S = 30.0
_BLOCK_BYTES = 2**20


def size_of_url(url: str) -> int:
    """Ask how many bytes are at an address, without fetching them.

    Raises
    ------
    ConfigError
        When there is no answer, or none that says so.
    """
    try:
        with urlopen(Request(url, method="HEAD"), timeout=_TIMEOUT_S) as answer:
            return int(answer.headers["Content-Length"])
    except (OSError, HTTPException, TypeError, ValueError) as error:
        raise ConfigError(
            f"{Path(url).name!r} is not on this machine and cannot be fetched from {url} "
            f"({type(error).__name__}). Connect to the network, or fetch it elsewhere and give "
            "the file's path."
        ) from error


def fetch_url(url: str, size: int, target: Path) -> None:
    """Download a file of `size` bytes to `target`, which appears only when it is complete.

    Raises
    ------
    ConfigError
        When the disk is too small, or the download broke off.
    """
    check_disk(target.name, size, target.parent)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    bar = hub_tqdm(total=size, desc=target.name, unit="B", unit_scale=True)  # as for the hub
    with under_way(Download(target.name, size)) as download, bar:
        try:
            with urlopen(url, timeout=_TIMEOUT_S) as answer, part.open("wb") as file:
                while block := answer.read(_BLOCK_BYTES):
                    file.write(block)
                    download.add(len(block))
                    bar.update(len(block))
            if download.done_bytes != size:
                raise EOFError
            part.replace(target)
        except (OSError, HTTPException, EOFError) as error:
            raise ConfigError(
                f"The download of {url} broke off ({type(error).__name__}) after "
                f"{download.done_bytes / GIGABYTE:.2f} of {size / GIGABYTE:.2f} GB. Try again."
            ) from error
        finally:
            part.unlink(missing_ok=True)
