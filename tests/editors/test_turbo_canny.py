"""The edges of a photo, against a picture drawn by hand and against OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from smile_core.editors.canny import canny_edges
from smile_core.editors.turbo_cards import EDGE_THRESHOLDS


def test_a_step_has_one_line_of_edge_before_it() -> None:
    pixels = np.zeros((6, 9, 3), dtype=np.uint8)
    pixels[:, 5:, 1] = 255  # visible in one channel only
    expected = np.zeros((6, 9), dtype=bool)
    expected[:, 4] = True  # both sides of the step have gradient 4 * 255; the first counts
    np.testing.assert_array_equal(canny_edges(Image.fromarray(pixels), *EDGE_THRESHOLDS), expected)
    turned = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 0, 2)))
    np.testing.assert_array_equal(canny_edges(turned, *EDGE_THRESHOLDS), expected.T)


def test_a_weak_edge_counts_only_when_it_leads_to_a_strong_one() -> None:
    pixels = np.full((30, 40, 3), 100, dtype=np.uint8)
    pixels[:, 10:] = 125  # gradient 4 * 25, between the thresholds
    pixels[:15, 25:] = 255  # a strong edge that the second weak one continues
    pixels[15:, 25:] = 150
    edges = canny_edges(Image.fromarray(pixels), *EDGE_THRESHOLDS)
    assert not edges[:, :20].any()
    assert edges[20, 23:27].any()


@pytest.mark.parametrize(("low", "high"), [(70, 200), (100, 200), (20, 60)])
@pytest.mark.parametrize("kind", ["noise", "smooth noise", "grey"])
def test_every_pixel_is_that_of_opencv(low: int, high: int, kind: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (90, 121, 3), dtype=np.uint8)
    if kind != "noise":
        pixels = cv2.GaussianBlur(pixels, (5, 5), 1.2)
    if kind == "grey":
        pixels[:, :, 1:] = pixels[:, :, :1]
    expected = cv2.Canny(pixels, low, high) > 0
    assert expected.any()
    np.testing.assert_array_equal(canny_edges(Image.fromarray(pixels), low, high), expected)
