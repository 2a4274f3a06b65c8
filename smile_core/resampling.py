"""How sure the weights of a surrogate are: a bootstrap over samples, intervals and verdicts.

References
----------
[1] Rubin, The Bayesian bootstrap, Annals of Statistics 1981.
[2] MacKinnon and White, Some heteroskedasticity-consistent covariance matrix estimators,
    Journal of Econometrics 1985.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student_t

from smile_core.explanation import AGAINST, DRIVES, NOTHING
from smile_core.regression import SATURATED, Problem, pose, refit, truncate
from smile_core.surrogate import fit_surrogate

# Smaller than any effect, larger than the rounding of a fit: keeps ±1e-17 from being a verdict.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Resampled:
    """How the weights of a fit move when its samples are drawn anew.

    Attributes
    ----------
    weights : ndarray, shape (m,)
        Those of the fit itself.
    deviations : ndarray, shape (B, m)
        What each resample adds to them.
    unjudged : ndarray of bool, shape (m,)
        Units that the samples cannot judge; their deviations mean nothing.
    """

    weights: np.ndarray
    deviations: np.ndarray
    unjudged: np.ndarray


def bootstrap_intervals(
    name: str,
    X: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    *,
    interactions: bool = False,
    rng: np.random.Generator,
    n_boot: int = 500,
    level: float = 0.95,
) -> np.ndarray:
    """Return an interval for the weight of every unit, by a bootstrap over samples.

    See `resample`. A unit that the samples cannot judge gets the whole range of the response,
    [-1, 1] at least: one that was always kept or cannot be told from another, one whose weight
    hangs on a single sample, and so every unit while there are no more samples than parameters.

    Parameters
    ----------
    name, X, y, weights, interactions
        As in `surrogate.fit_surrogate`.
    rng : numpy.random.Generator
        Source of randomness.
    n_boot : int
        Number of resamples.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    ndarray, shape (m, 2)
        Low and high end per unit; the fitted weight lies between them.
    """
    draws = rng.standard_exponential((n_boot, len(X)))
    made = resample(name, X, y, weights, draws, interactions=interactions, level=level)
    estimate = made.weights
    spread = np.quantile(made.deviations, ((1 - level) / 2, (1 + level) / 2), axis=0)  # (2, m)
    low = np.where(made.unjudged, -1.0, estimate + spread[0])
    high = np.where(made.unjudged, 1.0, estimate + spread[1])
    return np.column_stack([np.minimum(low, estimate), np.maximum(high, estimate)])


def resample(
    name: str,
    X: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    draws: np.ndarray,
    *,
    interactions: bool = False,
    level: float = 0.95,
) -> Resampled:
    """Refit the samples under random weights.

    The Bayesian bootstrap [1]: each resample multiplies the sample weights by random ones of mean
    1 (a flat Dirichlet draw) and refits, with the penalty of the full fit. Unlike drawing rows
    with replacement it never loses a unit's only sample.

    With few samples per unit the residuals of a fit are smaller than its errors. So the resamples
    are fitted to leave-one-out residuals, r_i/(1 - leverage_i), as the HC3 errors of a regression
    are [2], and their spread is stretched from the normal to Student's distribution.

    Parameters
    ----------
    name, X, y, weights, interactions
        As in `surrogate.fit_surrogate`.
    draws : ndarray, shape (B, n)
        Standard exponential random numbers, a row for each resample.
    level : float
        Coverage of the intervals that will be read off the spread, in (0, 1).

    Returns
    -------
    Resampled
        The B resamples.
    """
    fit = fit_surrogate(name, X, y, weights, interactions=interactions)
    problem = pose(name, X, y, weights, interactions)
    n, m = X.shape
    freedom = int(np.sum(problem.weights > 0)) - np.linalg.matrix_rank(problem.columns)
    freedom -= problem.free_level
    unjudged = _unjudged(problem, fit.leverage)  # (m,)
    if freedom <= 0 or unjudged.all():
        return Resampled(fit.coefficients, np.zeros((len(draws), m)), np.ones(m, dtype=bool))

    residual = (np.asarray(y, dtype=float) - fit.predicted) / np.maximum(
        1 - fit.leverage, SATURATED
    )  # (n,)
    response = fit.predicted + residual - problem.level
    draws = draws * (n / draws.sum(axis=1, keepdims=True))  # (B, n), mean 1
    # The first row is the fit without resampling, from which the spread is measured.
    draws = np.vstack([np.ones(n), draws]) * problem.weights
    slopes = refit(name, replace(problem, response=response), draws, fit.penalty)[:, :m]
    upper = (1 + level) / 2
    stretch = student_t.ppf(upper, freedom) / norm.ppf(upper)
    return Resampled(fit.coefficients, (slopes[1:] - slopes[0]) * stretch, unjudged)


def _unjudged(problem: Problem, leverage: np.ndarray) -> np.ndarray:
    """Say which units' weights the samples leave open, or leave to one sample; shape (m,)."""
    m = problem.n_units
    root = np.sqrt(problem.weights)[:, None]  # (n, 1)
    U, s, Vt = truncate(*np.linalg.svd(root * problem.columns, full_matrices=False))
    unseen = 1 - np.sum(Vt[:, :m] ** 2, axis=0)  # (m,) share never varied by the samples
    influence = np.abs((Vt[:, :m].T / s) @ U.T)  # (m, n) of each sample on each weight
    alone = influence[:, 1 - leverage < SATURATED].max(axis=1, initial=0.0)
    return (unseen > 1e-6) | (alone > 1e-6)


def verdict(low: float, high: float) -> str:
    """Say what an interval allows one to say: one of `smile_core.explanation.VERDICTS`."""
    if low > _ROUNDING:
        return DRIVES
    return AGAINST if high < -_ROUNDING else NOTHING
