from __future__ import annotations

import numpy as np
from PIL import Image

from smile_core.feature_memory import RememberingEncoder
from tests.toy_editors import ToyEncoder


def grey(level: int) -> Image.Image:
    return Image.new("RGB", (16, 16), (level,) * 3)


def test_equal_pictures_are_encoded_once_and_rows_keep_their_order() -> None:
    toy = ToyEncoder()
    encoder = RememberingEncoder(toy)
    levels = [5, 9, 5, 7]
    assert encoder.encode([grey(level) for level in levels]).pooled[:, 0].tolist() == levels
    assert toy.seen == 3
    again = [7, 8, 9]
    assert np.array_equal(
        encoder.encode([grey(level) for level in again]).tokens,
        ToyEncoder().encode([grey(level) for level in again]).tokens,
    )
    assert toy.seen == 4


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    toy = ToyEncoder()
    encoder = RememberingEncoder(toy, max_bytes=3 * 16)  # a token and a pooled vector of 8 bytes
    for level in (1, 2, 3, 1, 4):
        encoder.encode([grey(level)])
    assert toy.seen == 4
    encoder.encode([grey(1)])
    assert toy.seen == 4
    encoder.encode([grey(2)])
    assert toy.seen == 5
