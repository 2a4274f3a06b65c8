"""From distances between texts to the weights of the samples.

References
----------
[1] Ribeiro et al., "Why should I trust you?" (LIME), KDD 2016.
[2] Kish, Survey Sampling, 1965 (effective sample size).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq


def effective_sample_size(weights: np.ndarray) -> float:
    """Return (Σπ)²/Σπ², the number of equally weighted samples worth as much, in [1, n]."""
    weights = np.asarray(weights, dtype=float)
    return float(weights.sum() ** 2 / np.sum(weights**2))


def kernel_weights(
    text_distances: np.ndarray, kernel_width: float | None
) -> tuple[np.ndarray, float]:
    """Return the sample weights π = exp(-(D/σ)²) and the σ behind them.

    Parameters
    ----------
    text_distances : ndarray, shape (n,)
        Distance of each prompt to the full instruction, >= 0, the reference's own 0 included.
    kernel_width : float or None
        σ. LIME [1] writes its kernel sqrt(exp(-D²/width²)), which is this one with
        σ = width·√2. None chooses σ so that the effective sample size is half of n.

    Returns
    -------
    weights : ndarray, shape (n,)
        In [0, 1]; the reference has 1.
    width : float
        The σ that was used. When all distances are 0 every σ gives weights of 1, and 1 is named.

    Raises
    ------
    ValueError
        When σ is to be chosen and no distance is 0.

    Notes
    -----
    When z >= n/2 distances are 0, no σ brings the effective sample size down to n/2; it is then
    set half-way between z and n.
    """
    distances = np.asarray(text_distances, dtype=float)
    if kernel_width is not None:
        return _kernel(distances, kernel_width), float(kernel_width)
    if distances.min() != 0:
        raise ValueError("The text distances must include the reference's own 0.")
    largest = distances.max()
    if largest == 0:
        return np.ones_like(distances), 1.0

    n, zeros = len(distances), int(np.sum(distances == 0))
    target = n / 2 if zeros < n / 2 else (zeros + n) / 2

    def excess(log_width: float) -> float:
        return effective_sample_size(_kernel(distances, np.exp(log_width))) - target

    # The effective sample size grows with σ: from `zeros`, where the smallest positive distance
    # already has weight exp(-e^8) = 0, to n, where the largest has weight exp(-e^-16) = 1.
    low, high = np.log(distances[distances > 0].min()) - 4, np.log(largest) + 8
    width = float(np.exp(brentq(excess, low, high, xtol=1e-12)))
    return _kernel(distances, width), width


def _kernel(distances: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-((distances / width) ** 2))
