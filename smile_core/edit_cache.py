"""Edits already made, on disk: one lossless picture per (photo, editor, prompt, seed, knobs).

The cache makes a repeated run instant, a larger run pay for its new edits only, and a run that was
killed resume. Every write goes to a temporary file that is then renamed, so a reader sees a whole
picture or none, and any number of processes may share the folder. Each picture carries the digest
of its own pixels; one that does not match is deleted and made again.

The folder is `$SMILE_CACHE_DIR`, or `smile-editing/edits` in the platform's cache folder. The
least recently used pictures go when it outgrows its limit.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from PIL import Image, PngImagePlugin

logger = logging.getLogger(__name__)

DEFAULT_MAX_BYTES = 2 * 2**30
_DIGEST = "smile-pixels-sha256"
_ABANDONED_SECONDS = 3600.0  # a temporary file this old belongs to a process that died
_KEEP = 0.9  # eviction goes down to this share of the limit, so that it does not run at every put


def default_folder() -> Path:
    """Return where edits are kept: `$SMILE_CACHE_DIR`, or the platform's cache folder."""
    chosen = os.environ.get("SMILE_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "smile-editing" / "edits"


def pixel_digest(image: Image.Image) -> str:
    """Return the SHA-256 of the mode, the size and the pixels of `image`."""
    header = f"{image.mode} {image.width}x{image.height} ".encode()
    return sha256(header + image.tobytes()).hexdigest()


def edit_key(
    photo_digest: str,
    fingerprint: str,
    prompt: str,
    seed: int,
    knobs: Mapping[str, object],
    mask_digest: str | None = None,
    repeat: int = 0,
) -> str:
    """Return the name of one edit: everything it depends on, and not the batch it was made in.

    Parameters
    ----------
    photo_digest : str
        `pixel_digest` of the photo as the editor sees it.
    fingerprint : str
        The editor's `fingerprint`.
    prompt : str
        The instruction that was run.
    seed : int
        Seed of the edit.
    knobs : mapping
        Steps and guidance scales; None means the editor's default.
    mask_digest : str or None
        `pixel_digest` of the mask, for an editor that needs one.
    repeat : int
        How often the same was asked for before, by an editor whose answers may differ by chance.
    """
    parts: list[object] = [photo_digest, fingerprint, prompt, seed, sorted(knobs.items())]
    if mask_digest is not None:
        parts.append(mask_digest)
    if repeat:
        parts.append({"repeat": repeat})
    return sha256(json.dumps(parts).encode()).hexdigest()


class EditCache:
    """Pictures on disk by key, with a size limit.

    Parameters
    ----------
    folder : Path or None
        Where they are kept; None takes `default_folder`.
    max_bytes : int
        Size limit; beyond it the least recently used pictures are deleted.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.folder = Path(folder) if folder is not None else default_folder()
        self.max_bytes = max_bytes
        self._size: int | None = None  # bytes on disk as far as this process knows

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.png"

    def get(self, key: str) -> Image.Image | None:
        """Return the picture called `key`, or None when it is not there or is damaged."""
        path = self._path(key)
        try:
            with Image.open(path, formats=["PNG"]) as stored:
                stored.load()
                digest = stored.info.get(_DIGEST)
                image = stored.copy()
        except FileNotFoundError:
            return None
        except Exception as error:  # a decoder that is fed a broken file may raise anything
            self._discard(path, str(error))
            return None
        image.info = {}
        if digest != pixel_digest(image):
            self._discard(path, "its pixels do not match their digest")
            return None
        with suppress(OSError):
            os.utime(path)  # marks it as recently used
        return image

    def holds(self, key: str) -> bool:
        """Say whether there is an edit under `key`, without reading it."""
        return self._path(key).is_file()

    def put(self, key: str, image: Image.Image) -> None:
        """Store `image` under `key`.

        Raises
        ------
        OSError
            When the disk is full or the folder cannot be written; nothing half-written stays.
        """
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        info = PngImagePlugin.PngInfo()
        info.add_text(_DIGEST, pixel_digest(image))
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                image.save(file, "PNG", pnginfo=info, compress_level=1)
            size = os.path.getsize(temporary)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        self._size = self._scan_size() if self._size is None else self._size + size
        if self._size > self.max_bytes:
            self._evict()

    def _discard(self, path: Path, reason: str) -> None:
        logger.warning("Removed a damaged edit from the cache, it will be made again: %s", reason)
        with suppress(OSError):
            path.unlink()

    def _files(self) -> list[tuple[float, int, Path]]:
        """Return (last use, bytes, path) of every file, and delete what dead processes left."""
        found = []
        for path in self.folder.glob("??/*"):
            with suppress(OSError):  # another process may delete it at any moment
                state = path.stat()
                if path.suffix == ".png":
                    found.append((state.st_mtime, state.st_size, path))
                elif path.suffix == ".tmp" and time.time() - state.st_mtime > _ABANDONED_SECONDS:
                    path.unlink()
        return found

    def _scan_size(self) -> int:
        return sum(size for _, size, _ in self._files())

    def _evict(self) -> None:
        """Delete the least recently used pictures until the cache is well below its limit."""
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= self.max_bytes * _KEEP:
                break
            with suppress(OSError):
                path.unlink()
            total -= size
        self._size = total
