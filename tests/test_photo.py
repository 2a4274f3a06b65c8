from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smile_core.photo import MAX_FILE_BYTES, NOTES_KEY, PhotoError, open_photo


def as_bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def gradient(width: int = 40, height: int = 30) -> Image.Image:
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    return Image.fromarray(pixels)


@pytest.mark.parametrize("source", ["path", "text", "bytes", "image"])
def test_every_kind_of_source_gives_the_same_picture(source: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    gradient().save(path)
    given = {
        "path": path,
        "text": str(path),
        "bytes": path.read_bytes(),
        "image": Image.open(path),
    }[source]
    photo = open_photo(given)
    assert photo.mode == "RGB"
    assert np.array_equal(photo, gradient())
    assert photo.info == {}


def test_the_given_picture_is_left_alone() -> None:
    image = gradient()
    open_photo(image).putpixel((0, 0), (9, 9, 9))
    assert image.getpixel((0, 0)) == (0, 0, 0)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_common_formats_open(kind: str) -> None:
    assert open_photo(as_bytes(gradient(), kind)).size == (40, 30)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    data = as_bytes(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    photo = open_photo(data)
    red, _, blue = photo.getpixel((16, 16))
    assert red > 240
    assert blue < 15
    assert "first frame" in photo.info[NOTES_KEY][0]


def test_cmyk_becomes_rgb() -> None:
    photo = open_photo(as_bytes(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG"))
    red, green, blue = photo.getpixel((5, 5))
    assert red > 200
    assert max(green, blue) < 60


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    levels = np.array([[0, 257 * 100, 65535]], dtype=np.uint16).repeat(20, 0).repeat(10, 1)
    photo = open_photo(as_bytes(Image.fromarray(levels), "PNG"))
    assert [photo.getpixel((x, 0))[0] for x in (0, 10, 20)] == [0, 100, 255]
    assert "16 bits" in photo.info[NOTES_KEY][0]


def test_transparency_is_put_on_white_and_said() -> None:
    image = Image.new("RGBA", (32, 32), (200, 0, 0, 0))
    image.paste((200, 0, 0, 255), (0, 0, 16, 32))
    photo = open_photo(as_bytes(image, "PNG"))
    assert photo.getpixel((4, 4)) == (200, 0, 0)
    assert photo.getpixel((30, 4)) == (255, 255, 255)
    assert "white" in photo.info[NOTES_KEY][0]
    assert open_photo(photo).info == photo.info  # said once, kept


def test_an_opaque_alpha_channel_is_no_news() -> None:
    assert open_photo(as_bytes(gradient().convert("RGBA"), "PNG")).info == {}


def test_a_palette_with_a_transparent_colour() -> None:
    image = Image.new("P", (32, 32), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(1, (0, 0, 16, 32))
    photo = open_photo(as_bytes(image, "PNG", transparency=0))
    assert photo.getpixel((4, 4)) == (200, 100, 50)
    assert photo.getpixel((30, 4)) == (255, 255, 255)


def test_exif_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    photo = open_photo(as_bytes(gradient(40, 30), "PNG", exif=exif))
    assert photo.size == (30, 40)
    assert np.array_equal(photo, gradient(40, 30).transpose(Image.Transpose.ROTATE_270))


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and holds no pixels."""
    chunks = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
        chunks += struct.pack(">I", len(data)) + name + data
        chunks += struct.pack(">I", zlib.crc32(name + data))
    return chunks


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("side", [6400, 12_000, 30_000])
def test_more_than_40_megapixels_are_refused_before_decoding(side: int) -> None:
    with pytest.raises(PhotoError, match="megapixels"):
        open_photo(png_header(side, side))


BROKEN = {
    "empty": (b"", "empty"),
    "text": (b"hello, this is not a picture", "not a picture"),
    "html": (b"<script>alert(1)</script>", "not a picture"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\n", "not a picture"),
    "truncated jpeg": (as_bytes(gradient(200, 200), "JPEG")[:900], "damaged"),
    "truncated png": (as_bytes(gradient(200, 200), "PNG")[:400], "damaged"),
    "header only": (png_header(64, 64), "damaged"),
    "one pixel": (as_bytes(Image.new("RGB", (1, 1)), "PNG"), "1 × 1"),
    "a strip": (as_bytes(Image.new("RGB", (400, 20)), "PNG"), "Crop"),
    "fractions": (as_bytes(Image.new("F", (32, 32)), "TIFF"), "fractional"),
    "too many bytes": (bytes(MAX_FILE_BYTES + 1), "25 MB"),
}


@pytest.mark.parametrize(("data", "words"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_used_is_refused_in_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(PhotoError, match=words) as caught:
        open_photo(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["missing.png", ".", "bad\0name"])
def test_a_path_that_is_no_file(path: str) -> None:
    with pytest.raises(PhotoError, match="cannot be read"):
        open_photo(path)
