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
from urllib.parse import quote

from gradio.utils import get_upload_folder
from PIL import Image

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
    return path.is_file() and path.resolve().is_relative_to(Path(get_upload_folder()).resolve())


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
