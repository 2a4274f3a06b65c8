"""Consistency: does the same question get the same answer twice.

Repeats with new seeds show how much the weights owe to chance. With the same seed every run
repeats bit for bit, so the variance is zero by construction.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277, section "Consistency".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Consistency:
    """Spread of every weight over repeats; 0 is perfect.

    Attributes
    ----------
    variance : ndarray, shape (m,)
        Sample variance (divisor r - 1) per unit.
    sd : ndarray, shape (m,)
        Its square root.
    """

    variance: np.ndarray
    sd: np.ndarray

    @property
    def mean_variance(self) -> float:
        """Mean of `variance` over the units."""
        return float(self.variance.mean())

    @property
    def mean_sd(self) -> float:
        """Mean of `sd` over the units."""
        return float(self.sd.mean())


def consistency(coefficients: Sequence[Sequence[float]] | np.ndarray) -> Consistency:
    """Measure the spread of the weights over repeated explanations.

    Parameters
    ----------
    coefficients : array_like, shape (r, m)
        One row of weights per repeat, r >= 2.

    Raises
    ------
    ValueError
        When there are fewer than two repeats.
    """
    weights = np.asarray(coefficients, dtype=float)
    if weights.ndim != 2 or len(weights) < 2:
        raise ValueError(
            f"Consistency needs at least two repeats of the same units, not shape {weights.shape}."
        )
    variance = weights.var(axis=0, ddof=1)
    return Consistency(variance=variance, sd=np.sqrt(variance))
