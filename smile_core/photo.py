"""Opening a user's picture safely: one sentence for whatever is wrong with it.

The header is read first, and a picture that is too large is refused before it is decoded. What
had to be changed to get an 8-bit RGB picture (transparency, depth, animation) is written into
`image.info["smile_notes"]`, and the engine repeats it among the notes of the explanation.

References
----------
[1] Pillow's decompression-bomb notes, https://pillow.readthedocs.io/en/stable/reference/Image.html
"""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from smile_core.config import ConfigError

MAX_FILE_BYTES = 25 * 2**20
MAX_PIXELS = 40_000_000
MIN_SIDE = 16
MAX_ASPECT = 8
NOTES_KEY = "smile_notes"

# Decoders for pictures of the web and of cameras; others (EPS runs Ghostscript) stay out.
FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
ADVICE = "Save it as PNG, JPEG or WebP and try again."

Source = str | Path | bytes | Image.Image


class PhotoError(ConfigError):
    """A picture that cannot be used; the message says why and what to do."""


def open_photo(source: Source, *, background: str = "white") -> Image.Image:
    """Return the picture as 8-bit RGB, upright, apart from its file.

    Parameters
    ----------
    source : str, Path, bytes or PIL.Image.Image
        A file, the bytes of one, or a picture that is already open.
    background : str
        Colour that transparent parts are put on.

    Returns
    -------
    PIL.Image.Image
        Mode RGB. EXIF rotation is applied, of an animation the first frame is taken, transparent
        parts are put on the background, and 16-bit grey is scaled to 8 bits; all but the rotation
        is told in `info["smile_notes"]`, a tuple of sentences.

    Raises
    ------
    PhotoError
        When it is no picture, is damaged, has more than 40 megapixels or 25 MB, is smaller than
        16 × 16, or is more than 8 times as long as it is wide.
    """
    if isinstance(source, Image.Image):
        return _to_rgb(source, background)
    data = source if isinstance(source, bytes) else _read_file(Path(source))
    if not data:
        raise PhotoError("The picture file is empty (0 bytes). Choose another one.")
    if len(data) > MAX_FILE_BYTES:
        raise PhotoError(
            f"The picture file has {len(data) / 2**20:.0f} MB; at most "
            f"{MAX_FILE_BYTES // 2**20} MB can be opened. Save it smaller."
        )
    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data), formats=formats) as image:
                return _to_rgb(image, background)
    except PhotoError:
        raise
    except Image.UnidentifiedImageError as error:
        raise PhotoError(f"This file is not a picture that can be read. {ADVICE}") from error
    except Image.DecompressionBombError as error:
        raise PhotoError(_too_large("far more than 40 megapixels")) from error
    except Exception as error:  # a decoder that is fed a broken file may raise anything
        raise PhotoError(f"The picture is damaged or cut short ({error}). {ADVICE}") from error


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PhotoError(f"The picture {str(path)!r} cannot be read: {reason}.") from error


def _too_large(size: str) -> str:
    return (
        f"The picture has {size}; at most {MAX_PIXELS // 1_000_000} megapixels can be opened. "
        "Save it smaller."
    )


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        size = f"{width} × {height} pixels, {width * height / 1e6:.0f} megapixels"
        raise PhotoError(_too_large(size))
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"The picture has {width} × {height} pixels; at least {MIN_SIDE} × {MIN_SIDE} are "
            "needed to see an edit in it. Choose a larger one."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise PhotoError(
            f"The picture has {width} × {height} pixels; it may be at most {MAX_ASPECT} times as "
            "long as it is wide. Crop it."
        )


def _to_rgb(image: Image.Image, background: str) -> Image.Image:
    """Decode, turn upright and flatten to RGB, noting what was changed."""
    _check_size(*image.size)
    notes = list(image.info.get(NOTES_KEY, ()))
    if getattr(image, "is_animated", False) and image.format != "MPO":
        image.seek(0)
        notes.append("The picture is animated; its first frame was used.")
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode == "F":
        raise PhotoError(f"The picture holds fractional numbers, whose white is unknown. {ADVICE}")
    if upright.mode.startswith("I"):
        notes.append("The picture has 16 bits a channel; it was scaled to 8.")
        levels = np.asarray(upright, dtype=np.int64).clip(0, 65535)  # (height, width)
        upright = Image.fromarray(np.rint(levels / 257).astype(np.uint8))
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        if upright.getchannel("A").getextrema() != (255, 255):
            notes.append(f"The picture has transparent parts; they were put on {background}.")
        below = Image.new("RGBA", upright.size, background)
        upright = Image.alpha_composite(below, upright)
    photo = upright.convert("RGB")
    if photo is image:
        photo = image.copy()
    photo.info = {NOTES_KEY: tuple(notes)} if notes else {}
    return photo
