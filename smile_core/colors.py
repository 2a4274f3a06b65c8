"""One diverging scale for weights, from blue through grey to orange, used by every view.

Blue and orange stay apart under the three common kinds of colour blindness; a number always stands
beside the colour. A box has one background for light pages and one for dark pages, each with a text
colour of contrast 4.5:1 or more against every shade of the scale [1].

References
----------
[1] WCAG 2.2, success criterion 1.4.3 (contrast, minimum) and the definition of relative luminance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from smile_core.explanation import Explanation

# Ends and middle of the scale, (negative, zero, positive).
LIGHT_PAGE = ("#73b3f0", "#eef0f3", "#f79a4b")
DARK_PAGE = ("#1d64ad", "#2b303b", "#a84d05")
# Marks on a transparent plot: contrast 3:1 or more on white and on near-black.
MARKS = ("#2f7fc6", "#868c96", "#d9700d")

TEXT_ON_LIGHT = "#111827"
TEXT_ON_DARK = "#f9fafb"
NEGATIVE, NEUTRAL, POSITIVE = MARKS
PLOTLY_SCALE = [[0.0, NEGATIVE], [0.5, NEUTRAL], [1.0, POSITIVE]]

# Weights smaller than this never use the full strength of the scale, so noise stays pale.
SMALLEST_LIMIT = 0.5


@dataclass(frozen=True, kw_only=True)
class WeightColor:
    """Background and text colours (hex) of one weight, for light pages and for dark ones."""

    light: str
    dark: str
    text_on_light: str = TEXT_ON_LIGHT
    text_on_dark: str = TEXT_ON_DARK


def blend(scale: tuple[str, str, str], position: float) -> str:
    """Return the colour of a three-point `scale` at `position`, from -1 to 1, as `#rrggbb`."""
    amount = min(1.0, abs(position))
    start, end = _channels(scale[1]), _channels(scale[2] if position > 0 else scale[0])
    mixed = (round(a + amount * (b - a)) for a, b in zip(start, end, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _channels(color: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255, of `#rrggbb`."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue


def weight_color(weight: float, limit: float) -> WeightColor:
    """Return the colours of `weight` on the scale from -limit to limit (limit > 0).

    Weights beyond the limit take the colour of its end.
    """
    position = weight / limit
    return WeightColor(light=blend(LIGHT_PAGE, position), dark=blend(DARK_PAGE, position))


def mark_color(weight: float, limit: float) -> str:
    """Return the colour of `weight` for a bar or point that must read on light and dark alike."""
    return blend(MARKS, weight / limit)


def color_limit(*explanations: Explanation) -> float:
    """Return the |weight| at full colour: the largest there is, at least `SMALLEST_LIMIT`.

    Explanations that stand side by side share one scale. It is rounded up to a quarter, so that
    colours and axes move seldom while results stream in.
    """
    return _next_quarter(abs(unit.weight) for found in explanations for unit in found.units)


def axis_limit(*explanations: Explanation) -> float:
    """Return the half-width of an axis around zero that holds every interval, in quarters."""
    units = (unit for found in explanations for unit in found.units if unit.measured)
    return _next_quarter(abs(end) for unit in units for end in (unit.low, unit.high))


def _next_quarter(values: Iterable[float]) -> float:
    return max(SMALLEST_LIMIT, math.ceil(max(values, default=0.0) * 4 - 1e-9) / 4)
