"""Edges of a photo, as the edge model of Img2Img-Turbo was trained on them.

The published front end calls `cv2.Canny` on the colour picture. This gives the same pixels with
numpy and scipy, so that no further library is needed.

References
----------
[1] Canny. A Computational Approach to Edge Detection. IEEE PAMI 8(6), 1986.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

# tan(22.5°) and tan(67.5°) in whole numbers, of which the second is the first plus two.
_ONE = 1 << 15
_TAN_22 = round((2**0.5 - 1) * _ONE)
_TAN_67 = _TAN_22 + 2 * _ONE


def canny_edges(photo: Image.Image, low: int, high: int) -> NDArray[np.bool_]:
    """Return where the edges of a photo are.

    Parameters
    ----------
    photo : PIL.Image.Image
        The photo, RGB.
    low, high : int
        A pixel whose gradient |dx| + |dy| is above `high` is an edge; one above `low` is an edge
        if a chain of such pixels leads to one above `high`.

    Returns
    -------
    ndarray of bool
        True on edges, (height, width).
    """
    dx, dy = _gradients(np.asarray(photo.convert("RGB"), dtype=np.int64))  # (h, w) each
    magnitude = np.abs(dx) + np.abs(dy)  # (h, w)
    ridge = _is_ridge(dx, dy, magnitude) & (magnitude > low)  # (h, w)
    chains, _ = ndimage.label(ridge, structure=np.ones((3, 3)))  # (h, w), 0 outside of any chain
    strong = np.unique(chains[ridge & (magnitude > high)])
    return np.isin(chains, strong[strong > 0])


def _gradients(pixels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the Sobel gradients of `pixels` (h, w, 3), of the channel where they are largest."""
    dx, dy = _sobel(pixels, axis=1), _sobel(pixels, axis=0)  # (h, w, 3) each
    channel = np.argmax(np.abs(dx) + np.abs(dy), axis=2)[:, :, None]  # (h, w, 1)
    return (
        np.take_along_axis(dx, channel, axis=2)[:, :, 0],
        np.take_along_axis(dy, channel, axis=2)[:, :, 0],
    )


def _sobel(pixels: NDArray[np.int64], axis: int) -> NDArray[np.int64]:
    """Return the gradient along `axis`, smoothed along the other side of the picture."""
    change = ndimage.correlate1d(pixels, (-1, 0, 1), axis=axis, mode="nearest")
    return ndimage.correlate1d(change, (1, 2, 1), axis=1 - axis, mode="nearest")


def _is_ridge(
    dx: NDArray[np.int64], dy: NDArray[np.int64], magnitude: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return where the gradient is largest along its own direction, all arrays (h, w).

    Of two equal neighbours on a row or a column the first counts.
    """
    around = np.pad(magnitude, 1)  # (h + 2, w + 2): nothing outside of the picture

    def neighbour(down: int, right: int) -> NDArray[np.int64]:
        height, width = magnitude.shape
        return around[1 + down : 1 + down + height, 1 + right : 1 + right + width]

    across, along = np.abs(dx), np.abs(dy) * _ONE
    level = along < across * _TAN_22  # the gradient points left or right
    upright = along > across * _TAN_67
    falling = (dx < 0) == (dy < 0)  # else towards the upper right or the lower left
    on_row = (magnitude > neighbour(0, -1)) & (magnitude >= neighbour(0, 1))
    on_column = (magnitude > neighbour(-1, 0)) & (magnitude >= neighbour(1, 0))
    on_falling = (magnitude > neighbour(-1, -1)) & (magnitude > neighbour(1, 1))
    on_rising = (magnitude > neighbour(-1, 1)) & (magnitude > neighbour(1, -1))
    return np.select([level, upright, falling], [on_row, on_column, on_falling], on_rising)
