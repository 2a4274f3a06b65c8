"""How sure the difference is between the weights of a word in two runs.

Two runs of one photo under the same seed try the same masks. What makes their weights uncertain is
which masks were drawn, and that is shared. So the bootstrap is paired: the random weight of a
sample belongs to its mask, and every run that tried this mask uses it. Errors that both runs share
then cancel in the difference, and its interval is narrower than two separate intervals suggest.
Runs that share no masks (instructions of different lengths) are resampled independently by the
same rule. Everything else is as in `resampling.resample`.

References
----------
[1] Efron and Tibshirani, An introduction to the bootstrap, 1993, chapter 8 (resample what was
    sampled together as one).
[2] Rubin, The Bayesian bootstrap, Annals of Statistics 1981.
"""

from __future__ import annotations

import numpy as np

from smile_core.explanation import Explanation, UnitWeight
from smile_core.resampling import Resampled, resample

RESAMPLES = 500
LEVEL = 0.95


def mask_draws(masks: np.ndarray, seed: int, n_boot: int = RESAMPLES) -> np.ndarray:
    """Return standard exponential numbers that depend on nothing but seed and mask.

    Parameters
    ----------
    masks : ndarray of int, shape (n, m)
        One row per sample.
    seed : int
        Seed of all the numbers, >= 0.
    n_boot : int
        Number of resamples B.

    Returns
    -------
    ndarray, shape (B, n)
        Equal masks have equal columns; masks of different length have different ones.
    """
    m = masks.shape[1]
    columns = [
        np.random.default_rng([seed, m, *map(int, mask)]).standard_exponential(n_boot)
        for mask in masks
    ]
    return np.stack(columns, axis=1)


def resample_explanation(explanation: Explanation, seed: int) -> Resampled:
    """Refit an explanation under random weights that runs with the same masks share.

    Parameters
    ----------
    explanation : Explanation
        A finished or a running one; only the samples in its fit are used.
    seed : int
        The same for all runs that are compared.

    Returns
    -------
    Resampled
        500 resamples.
    """
    inside = [
        sample
        for sample in (explanation.reference, *explanation.samples)
        if sample.sample_weight is not None and sample.similarity is not None
    ]
    masks = np.array([sample.mask for sample in inside])  # (n, m)
    y = np.array([sample.similarity for sample in inside])  # (n,)
    if y.min() == y.max():  # nothing changed, or only the reference is there
        m = masks.shape[1]
        return Resampled(np.zeros(m), np.zeros((RESAMPLES, m)), masks.min(axis=0) == 1)
    return resample(
        str(explanation.config["surrogate"]),
        masks.astype(float),
        y,
        np.array([sample.sample_weight for sample in inside]),
        mask_draws(masks, seed),
        interactions=bool(explanation.config["interactions"]),
        level=LEVEL,
    )


def difference_interval(
    one: UnitWeight, other: UnitWeight, moves: np.ndarray | None
) -> tuple[float, float]:
    """Return the ends of the 95 % interval of one weight minus another.

    Parameters
    ----------
    one, other : UnitWeight
        The two weights with their own intervals.
    moves : ndarray, shape (B,), or None
        What each resample adds to the difference; None where the samples cannot judge one of the
        two. The interval then holds every difference that the two intervals allow.

    Returns
    -------
    tuple of float
        Low and high end; the difference lies between them.
    """
    if moves is None:
        return one.low - other.high, one.high - other.low
    value = one.weight - other.weight
    low, high = value + np.quantile(moves, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return min(float(low), value), max(float(high), value)
