"""Files that the browser may fetch, in Gradio's own upload folder, the only one it serves.

Pictures are written once and named by their content. Ten minutes after it is a day old a file is
gone, whether the server is busy or idle, and all together take about 2 GB at most.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gradio.utils import get_upload_folder, is_in_or_equal, is_static_file
from PIL import Image

from smile_core.config import ConfigError

KEEP_SECONDS = 24 * 3600
MAX_BYTES = 2 * 2**30
SWEEP_SECONDS = 600


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
    """Write `picture` unless it is there already, and return its address.

    Where there is no room to write it, the address holds the picture itself.
    """
    digest = hashlib.sha256(f"{picture.mode}{picture.size}".encode() + picture.tobytes())
    try:
        path = served_folder("pictures") / f"{digest.hexdigest()[:32]}.webp"
        if path.exists():
            os.utime(path)
        else:
            _write(path, _webp(picture))
    except OSError:
        return "data:image/webp;base64," + base64.b64encode(_webp(picture)).decode()
    return file_url(path)


def _webp(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="WEBP", quality=90, method=2)
    return file.getvalue()


def _write(path: Path, data: bytes) -> None:
    """Write all of a file or nothing of it."""
    partial = path.with_suffix(f".{uuid.uuid4().hex}")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def sweep(max_bytes: int = MAX_BYTES) -> None:
    """Remove what nobody has used for a day; of more than `max_bytes` the longest unused goes.

    An entry is a picture, or the folder of a result.
    """
    entries = []
    for kind in ("pictures", "results"):
        for path in served_folder(kind).iterdir():
            with suppress(OSError):  # a closed tab may take its files away at any moment
                files = [path, *path.rglob("*")] if path.is_dir() else [path]
                size = sum(file.stat().st_size for file in files)
                entries.append((path.stat().st_mtime, size, path))
    room = max_bytes
    for used, size, path in sorted(entries, reverse=True):
        room -= size
        if room < 0 or time.time() - used > KEEP_SECONDS:
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def keep_swept(every_s: float = SWEEP_SECONDS) -> threading.Event:
    """Sweep now and then, in a thread that ends with the program or when the event is set."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(every_s):
            with suppress(OSError):
                sweep()

    threading.Thread(target=work, name="sweep", daemon=True).start()
    return ended
