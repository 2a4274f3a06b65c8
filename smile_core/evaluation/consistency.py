"""Consistency: does the same question get the same answer twice.

Repeats with new seeds show how much the weights owe to chance. With the same seed every run
repeats bit for bit, so the variance is zero by construction.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277, section "Consistency".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from smile_core.config import MAX_PERTURBATIONS


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


@dataclass(frozen=True)
class Needed:
    """How much it takes to bring the spread of the weights under a target.

    Attributes
    ----------
    count : int or None
        Perturbations or seeds; None when no number of perturbations that a run can have would do.
    measured : bool
        True when a measured count is under the target; False for a count that was worked out.
    """

    count: int | None
    measured: bool


def seeds_needed(mean_sd: float, target: float) -> Needed:
    """Say over how many seeds weights must be averaged for a mean SD of at most `target`.

    Means of r independent repeats have an SD smaller by √r.

    Parameters
    ----------
    mean_sd : float
        `Consistency.mean_sd` of single runs under different seeds, >= 0.
    target : float
        Largest SD wanted, > 0.

    Raises
    ------
    ValueError
        For a target that is not above 0, or a negative spread.
    """
    _check_target(target, [mean_sd])
    if mean_sd <= target:
        return Needed(1, True)
    return Needed(math.ceil((mean_sd / target) ** 2 * (1 - 1e-12)), False)


def perturbations_needed(mean_sds: Mapping[int, float], target: float) -> Needed:
    """Say how many perturbations bring the mean SD under `target`.

    Parameters
    ----------
    mean_sds : mapping of int to float
        `Consistency.mean_sd` of repeats, by the number of perturbations; at least one.
    target : float
        Largest SD wanted, > 0.

    Returns
    -------
    Needed
        The smallest measured number from which on every larger one is under the target too. Where
        there is none, the number at which the line log SD = a + b·log n reaches the target, fitted
        to what was measured (with a single number, b = -1/2); None when that line does not fall,
        or reaches the target beyond `config.MAX_PERTURBATIONS`.

    Raises
    ------
    ValueError
        For a target that is not above 0, a negative spread, or nothing measured.
    """
    counts = sorted(mean_sds)
    spreads = [mean_sds[count] for count in counts]
    if not counts or counts[0] < 1:
        raise ValueError("There must be a spread for at least one number of perturbations.")
    _check_target(target, spreads)
    over = [i for i, spread in enumerate(spreads) if spread > target]
    if not over:
        return Needed(counts[0], True)
    if over[-1] + 1 < len(counts):
        return Needed(counts[over[-1] + 1], True)
    logs = np.log(counts)
    spread_logs = np.log(np.maximum(spreads, np.finfo(float).tiny))
    slope = -0.5 if len(counts) == 1 else float(np.polyfit(logs, spread_logs, 1)[0])
    if slope >= 0:
        return Needed(None, False)
    level = float(np.mean(spread_logs) - slope * np.mean(logs))
    log_count = (math.log(target) - level) / slope
    if log_count > math.log(MAX_PERTURBATIONS):  # it may be beyond any number at all
        return Needed(None, False)
    return Needed(max(math.ceil(math.exp(log_count) * (1 - 1e-12)), counts[-1] + 1), False)


def _check_target(target: float, spreads: Sequence[float]) -> None:
    if not target > 0 or min(spreads) < 0:
        raise ValueError("The target must be above 0, and a spread cannot be negative.")
