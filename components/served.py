"""Files that the browser may fetch, in Gradio's own upload folder, the only one it serves.

Pictures are written once and named by their content. What is older than a day is removed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gradio.utils import get_upload_folder, is_in_or_equal, is_static_file
from PIL import Image

from smile_core.config import ConfigError

KEEP_SECONDS = 24 * 3600
SWEEP_SECONDS = 3600

_last_sweep = 0.0


def served_folder(kind: str) -> Path:
    """Return the folder for `kind` of files inside the served one, made if it is missing."""
    folder = Path(get_upload_folder()) / f"smile-{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def is_uploaded(path: Path) -> bool:
    """Return whether `path` is a file that a browser uploaded, and not one it merely names."""
    return _is_file(path) and is_in_or_equal(path, get_upload_folder())


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False


def uploaded_path(payload: Any) -> Path:
    """Return the path in what a client sent for a file.

    Gradio looks where the file lies only when the payload is marked as one of its own, and a
    stranger's need not be. What the page itself shows, such as its photos, is allowed too.

    Raises
    ------
    ConfigError
        When it names no file, or one that was not uploaded.
    """
    path = payload.get("path") if isinstance(payload, dict) else None
    if isinstance(path, str):
        file = Path(path)
        if is_uploaded(file) or (_is_file(file) and is_static_file(file)):
            return file
    raise ConfigError("There is no such upload on this server (any more). Upload the file again.")


def file_url(path: Path) -> str:
    """Return the address of a served file, relative to the page."""
    return "gradio_api/file=" + quote(str(path))


def picture_url(picture: Image.Image) -> str:
    """Write `picture` unless it is there already, and return its address."""
    key = hashlib.sha256(f"{picture.mode}{picture.size}".encode() + picture.tobytes())
    path = served_folder("pictures") / f"{key.hexdigest()[:32]}.webp"
    if path.exists():
        os.utime(path)
    else:
        sweep()
        partial = path.with_suffix(f".{uuid.uuid4().hex}")
        picture.save(partial, format="WEBP", quality=90, method=2)
        partial.replace(path)
    return file_url(path)


def sweep() -> None:
    """Remove what nobody has used for a day; looks at most once an hour."""
    global _last_sweep
    now = time.time()
    if now - _last_sweep < SWEEP_SECONDS:
        return
    _last_sweep = now
    for kind in ("pictures", "results"):
        for path in served_folder(kind).iterdir():
            if now - path.stat().st_mtime > KEEP_SECONDS:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
