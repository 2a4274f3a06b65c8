"""Whether two edits differ to the eye.

Two edits that look the same still differ by rounding: by up to 1.7 grey levels in some 16 x 16
pixels with both bundled editors and 20 instructions that they cannot draw, while the weakest of 60
that they can draw moved some such block by 2.9, and all but a colour photo turned grey by more
than 20 (`tests/benchmarks/nothing_happened.py`). A local change, such as a hat, is small in the
mean of the whole picture, so the most different block counts.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

BLOCK = 16  # pixels a side
# Mean difference of the most different block, in levels of 255, from which an edit can be seen.
VISIBLE = 2.2


def visible_change(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of the most different block of two pictures.

    Parameters
    ----------
    one, other : PIL.Image.Image
        RGB; the second is scaled to the size of the first if theirs differ.

    Returns
    -------
    float
        Mean absolute difference over 16 x 16 pixels and three channels, 0 to 255. What is left
        over at the right and lower edge belongs to the last block.
    """
    if other.size != one.size:
        other = other.resize(one.size, Image.Resampling.LANCZOS)
    gaps = np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float))  # (h, w, 3)
    rows, columns = (
        np.arange(0, max(side - BLOCK + 1, 1), BLOCK) for side in (one.height, one.width)
    )
    sums = np.add.reduceat(np.add.reduceat(gaps.mean(axis=2), rows, axis=0), columns, axis=1)
    heights, widths = np.diff(np.append(rows, one.height)), np.diff(np.append(columns, one.width))
    return float((sums / np.outer(heights, widths)).max())
