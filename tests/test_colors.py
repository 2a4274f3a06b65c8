from __future__ import annotations

import numpy as np
import pytest

from smile_core.colors import (
    MARKS,
    PLOTLY_SCALE,
    SMALLEST_LIMIT,
    axis_limit,
    blend,
    color_limit,
    mark_color,
    weight_color,
)
from tests.sample_explanations import sample_explanation, with_units

WEIGHTS = np.linspace(-1.2, 1.2, 49)


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("weight", WEIGHTS)
def test_text_is_readable_on_every_shade(weight):
    color = weight_color(weight, 1.0)
    assert contrast(color.light, color.text_on_light) >= 4.5
    assert contrast(color.dark, color.text_on_dark) >= 4.5


@pytest.mark.parametrize("page", ["#ffffff", "#0b0f19"])
def test_marks_stand_out_on_light_and_dark_pages(page):
    assert min(contrast(mark_color(weight, 1.0), page) for weight in WEIGHTS) >= 3


def test_negative_is_blue_and_positive_is_orange():
    for color in (weight_color(-1, 1).light, weight_color(-1, 1).dark, mark_color(-1, 1)):
        red, _, blue = bytes.fromhex(color[1:])
        assert blue > red
    for color in (weight_color(1, 1).light, weight_color(1, 1).dark, mark_color(1, 1)):
        red, _, blue = bytes.fromhex(color[1:])
        assert red > blue


# Viénot, Brettel & Mollon (1999): what a protanope and a deuteranope see, in linear RGB.
PROTANOPE = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
DEUTERANOPE = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])


@pytest.mark.parametrize("vision", [PROTANOPE, DEUTERANOPE])
def test_the_ends_stay_apart_for_the_colour_blind(vision):
    ends = np.array([list(bytes.fromhex(color[1:])) for color in (MARKS[0], MARKS[2])]) / 255
    seen = (ends**2.2) @ vision.T
    assert np.abs(seen[0] - seen[1]).max() > 0.2


def test_beyond_the_limit_is_the_end_and_zero_is_the_middle():
    assert weight_color(7, 1) == weight_color(1, 1)
    assert mark_color(0, 0.5) == MARKS[1]
    assert blend(("#000000", "#808080", "#ffffff"), -0.5) == "#404040"


def test_plotly_scale_is_the_same_scale():
    assert [[(p + 1) / 2, mark_color(p, 1.0)] for p in (-1, 0, 1)] == PLOTLY_SCALE


def test_the_limit_keeps_noise_pale():
    noise = with_units(sample_explanation("a b"), ("a", 0.02, -0.1, 0.1), ("b", -0.03, -0.1, 0.1))
    assert color_limit(noise) == SMALLEST_LIMIT
    strong = with_units(sample_explanation("a b"), ("a", 0.2, 0.1, 0.3), ("b", -0.9, -1.0, -0.8))
    assert color_limit(strong) == axis_limit(strong) == 1.0
    wide = with_units(sample_explanation("a b"), ("a", 0.2, -1.2, 1.6), ("b", 0.75, 0.7, 0.8))
    assert (color_limit(wide), axis_limit(wide)) == (0.75, 1.75)
