"""Pictures as bytes: PNG for a service, small WebP data URIs for HTML that holds everything."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

from PIL import Image


def png_bytes(image: Image.Image) -> bytes:
    """Return `image` as the contents of a PNG file."""
    file = BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def data_uri(image: Image.Image, longest_side: int, quality: int = 80) -> str:
    """Return `image` as a WebP data URI, shrunk to `longest_side` pixels if it is larger.

    Parameters
    ----------
    image : PIL.Image.Image
    longest_side : int
        Pixels; a smaller picture keeps its size.
    quality : int
        WebP quality, 0 to 100.
    """
    small = image.convert("RGB")
    small.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    small.save(buffer, format="WEBP", quality=quality)
    return f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode()}"
