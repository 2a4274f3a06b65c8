"""How pictures are compared in tests."""

from __future__ import annotations

import numpy as np
from PIL import Image


def gap(one: Image.Image, other: Image.Image) -> int:
    """Return the largest difference of a channel of a pixel, 0 to 255."""
    return int(np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).max())
