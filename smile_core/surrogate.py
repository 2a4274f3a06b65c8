"""Weighted linear models from "which units were kept" to "how close is the picture".

The coefficient of a unit says how much similarity to the full edit is gained by keeping it. All
surrogates are linear, so that the coefficients mean the same under every name; they differ in
how they trust few or noisy samples.

- `linear`: weighted least squares with an intercept; of minimum norm where the masks cannot tell
  units apart.
- `ridge`: squared penalty α‖b‖²; α of 37 values by the exact leave-one-out error.
- `lasso`: absolute penalty; the one of 40 with the smallest approximate leave-one-out error [5].
  Least squares is among the candidates, so a clean response is not shrunk.
- `bayesian-ridge`: ridge whose penalty is the ratio of the noise and weight precisions that
  maximise the evidence (BayLIME [2]).
- `lime`: the linear fit. LIME [1] is this fit on cosine distances, and the distances and the
  kernel belong to the caller.
- `shapley`: KernelSHAP's weights [3] on the same samples, see `shapley_weights`. The plane passes
  exactly through the full instruction. The empty prompt cannot be run, so its response is
  estimated: it is the intercept, and the coefficients sum to y(full) - intercept.

Sample weights are scaled to mean 1 first: their common scale means nothing, and a penalty must
not depend on it.

References
----------
[1] Ribeiro et al., "Why should I trust you?" (LIME), KDD 2016.
[2] Zhao et al., BayLIME, UAI 2021.
[3] Lundberg and Lee, A unified approach to interpreting model predictions, NeurIPS 2017.
[4] Rubin, The Bayesian bootstrap, Annals of Statistics 1981.
[5] Rad and Maleki, A scalable estimate of the out-of-sample prediction error, JRSS B 2020.
[6] MacKinnon and White, Some heteroskedasticity-consistent covariance matrix estimators,
    Journal of Econometrics 1985.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student_t

from smile_core.config import SURROGATES, check_choice
from smile_core.explanation import AGAINST, DRIVES, NOTHING
from smile_core.kernel import (
    NothingChangedError,
    effective_sample_size,
    kernel_weights,
    similarity,
)
from smile_core.regression import (
    MAX_INTERACTION_UNITS,
    SATURATED,
    Problem,
    choose_penalty,
    fit_lasso,
    pose,
    refit,
    shapley_weights,
    truncate,
)

__all__ = [
    "MAX_INTERACTION_UNITS",
    "Fit",
    "NothingChangedError",
    "Resampled",
    "bootstrap_intervals",
    "effective_sample_size",
    "fit_surrogate",
    "kernel_weights",
    "resample",
    "shapley_weights",
    "similarity",
    "verdict",
]

# Smaller than any effect, larger than the rounding of a fit: keeps ±1e-17 from being a verdict.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Fit:
    """A fitted surrogate.

    Attributes
    ----------
    coefficients : ndarray, shape (m,)
        One weight per unit.
    intercept : float
        Prediction for the empty prompt.
    interactions : tuple of (int, int, float)
        Pairs i < j of units with the coefficient of their product z_i·z_j.
    predicted : ndarray, shape (n,)
        Prediction for every sample.
    weights : ndarray, shape (n,)
        Sample weights the fit used, of mean 1.
    leverage : ndarray, shape (n,)
        ∂(predicted_i)/∂(y_i), in [0, 1]; what the closed-form leave-one-out needs. Exact for a
        given penalty; for `lasso` that of its active units.
    deficient : bool
        True when the masks cannot tell all units apart; then the coefficients have minimum norm.
    penalty : float
        Strength of `ridge`, `bayesian-ridge` (α in Σπr² + α‖b‖²) or `lasso` (α in
        Σπr²/(2n) + α|b|); 0 for the others.
    """

    coefficients: np.ndarray
    intercept: float
    interactions: tuple[tuple[int, int, float], ...]
    predicted: np.ndarray
    weights: np.ndarray
    leverage: np.ndarray
    deficient: bool
    penalty: float

    @property
    def n_parameters(self) -> int:
        """Number of slopes, the intercept not counted; N_s of the adjusted R²."""
        return len(self.coefficients) + len(self.interactions)


def fit_surrogate(
    name: str, X: np.ndarray, y: np.ndarray, weights: np.ndarray, *, interactions: bool = False
) -> Fit:
    """Fit the surrogate called `name`.

    Parameters
    ----------
    name : str
        One of `smile_core.config.SURROGATES`, see the top of this module.
    X : ndarray, shape (n, m)
        Masks, the reference's row of ones among them.
    y : ndarray, shape (n,)
        Responses.
    weights : ndarray, shape (n,)
        Sample weights, >= 0. `shapley` brings its own and ignores these.
    interactions : bool
        Fit all products of two units too.

    Returns
    -------
    Fit
        The model and what its diagnostics need.

    Raises
    ------
    ConfigError
        For an unknown surrogate, or interactions of more than 10 units.
    ValueError
        When lengths differ, all weights are 0, or `shapley` is not given the full row.
    """
    check_choice("surrogate", name, SURROGATES)
    problem = pose(name, X, y, weights, interactions)
    root = np.sqrt(problem.weights)  # (n,)
    A = root[:, None] * problem.columns  # (n, k)
    b = root * problem.response  # (n,)
    own = problem.weights / problem.weights.sum() if problem.free_level else 0 * root  # (n,)

    U, s, Vt = truncate(*np.linalg.svd(A, full_matrices=False))
    if name == "lasso":
        slopes, penalty, leverage = fit_lasso(A, b, own)
    else:
        penalty = choose_penalty(name, A, b, U, s, own)
        shrink = s**2 / (s**2 + penalty)  # (r,)
        slopes = Vt.T @ (shrink / s * (U.T @ b))  # (k,)
        leverage = U**2 @ shrink  # (n,)

    m = X.shape[1]
    return Fit(
        coefficients=slopes[:m],
        intercept=float(problem.level - problem.centre @ slopes),
        interactions=tuple(
            (i, j, float(slope)) for (i, j), slope in zip(problem.pairs, slopes[m:], strict=True)
        ),
        predicted=problem.level + problem.columns @ slopes,
        weights=problem.weights,
        leverage=np.minimum(leverage + own, 1.0),
        deficient=len(s) < A.shape[1],
        penalty=float(penalty),
    )


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
        As in `fit_surrogate`.
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

    The Bayesian bootstrap [4]: each resample multiplies the sample weights by random ones of mean
    1 (a flat Dirichlet draw) and refits, with the penalty of the full fit. Unlike drawing rows
    with replacement it never loses a unit's only sample.

    With few samples per unit the residuals of a fit are smaller than its errors. So the resamples
    are fitted to leave-one-out residuals, r_i/(1 - leverage_i), as the HC3 errors of a regression
    are [6], and their spread is stretched from the normal to Student's distribution.

    Parameters
    ----------
    name, X, y, weights, interactions
        As in `fit_surrogate`.
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
