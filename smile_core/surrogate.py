"""Weighted linear models from "which units were kept" to "how close is the picture".

The coefficient of a unit says how much similarity to the full edit is gained by keeping it. All
surrogates are linear, so that the coefficients mean the same under every name; they differ in
how they trust few or noisy samples.

- `linear`: weighted least squares with an intercept; of minimum norm where the masks cannot tell
  units apart.
- `ridge`: squared penalty α‖b‖²; α of 37 values by the exact leave-one-out error.
- `lasso`: absolute penalty; the knot of the LARS path with the smallest approximate
  leave-one-out error [5]. The path ends in least squares, so a clean response is not shrunk.
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
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from sklearn.linear_model import BayesianRidge, lars_path

from smile_core.config import SURROGATES, ConfigError, check_choice
from smile_core.explanation import AGAINST, DRIVES, NOTHING
from smile_core.kernel import (
    NothingChangedError,
    effective_sample_size,
    kernel_weights,
    similarity,
)

__all__ = [
    "MAX_INTERACTION_UNITS",
    "Fit",
    "NothingChangedError",
    "bootstrap_intervals",
    "effective_sample_size",
    "fit_surrogate",
    "kernel_weights",
    "shapley_weights",
    "similarity",
    "verdict",
]

MAX_INTERACTION_UNITS = 10
# Singular values below this share of the largest count as zero.
_RANK_TOLERANCE = 1e-9
# 1 - leverage below this: the sample decides its own prediction, leaving it out says nothing.
_SATURATED = 1e-9
_RIDGE_PENALTIES = np.logspace(3, -9, 37)
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
    problem = _pose(name, X, y, weights, interactions)
    root = np.sqrt(problem.weights)  # (n,)
    A = root[:, None] * problem.columns  # (n, k)
    b = root * problem.response  # (n,)
    own = problem.weights / problem.weights.sum() if problem.free_level else 0 * root  # (n,)

    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    U, s, Vt = _truncate(U, s, Vt)
    if name == "lasso":
        slopes, penalty, leverage = _lasso(A, b, own)
    else:
        penalty = _penalty(name, A, b, U, s, own)
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


def shapley_weights(X: np.ndarray) -> np.ndarray:
    """Return KernelSHAP's weights for the masks that were run.

    A subset of s of the m units has the kernel weight (m - 1)/(C(m, s)·s·(m - s)) [3], so all
    C(m, s) subsets of one size share (m - 1)/(s·(m - s)). That share is divided among the samples
    of the size that exist. With all subsets run this is KernelSHAP; with some of them it is
    right for any design that treats subsets of one size alike, as both of ours do.

    Parameters
    ----------
    X : ndarray, shape (n, m)
        Masks. Full rows get 0, for the plane passes through them anyway; empty rows too.

    Returns
    -------
    ndarray, shape (n,)
        Weights, >= 0.
    """
    m = X.shape[1]
    sizes = X.sum(axis=1).astype(int)  # (n,)
    counts = np.bincount(sizes, minlength=m + 1)  # (m + 1,)
    s = np.arange(1, m)
    share = np.zeros(m + 1)
    share[1:m] = (m - 1) / (s * (m - s)) / np.maximum(counts[1:m], 1)
    return share[sizes]


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

    The Bayesian bootstrap [4]: each resample multiplies the sample weights by random ones of mean
    1 (a flat Dirichlet draw) and refits, with the penalty of the full fit. Unlike drawing rows
    with replacement it never loses a unit's only sample. Its spread is widened by
    sqrt(n/(n - rank)), the usual correction for the parameters fitted.

    A unit that the samples cannot judge gets the whole range of the response, [-1, 1] at least:
    one that was always kept or cannot be told from another, and every unit while there are no
    more samples than parameters.

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
    check_choice("surrogate", name, SURROGATES)
    fit = fit_surrogate(name, X, y, weights, interactions=interactions)
    problem = _pose(name, X, y, weights, interactions)
    m, (n, k) = X.shape[1], problem.columns.shape

    draws = rng.standard_exponential((n_boot, n))
    draws *= n / draws.sum(axis=1, keepdims=True) * problem.weights  # (B, n)
    slopes = _refit(name, problem, draws, fit.penalty)[:, :m]  # (B, m)

    _, s, Vt = np.linalg.svd(np.sqrt(problem.weights)[:, None] * problem.columns)
    rank = int(np.sum(s > _RANK_TOLERANCE * s[0]))
    freedom = int(np.sum(problem.weights > 0)) - rank - problem.free_level
    # The share of each unit's direction that the samples never vary.
    unseen = 1 - np.sum(Vt[:rank, :m] ** 2, axis=0)  # (m,)
    unknown = (unseen > 1e-6) | (freedom <= 0)

    tails = np.quantile(slopes, [(1 - level) / 2, (1 + level) / 2], axis=0).T  # (m, 2)
    estimate = fit.coefficients[:, None]  # (m, 1)
    widened = estimate + (tails - estimate) * np.sqrt(n / max(freedom, 1))
    widened = np.where(unknown[:, None], [-1.0, 1.0], widened)
    return np.column_stack(
        [
            np.minimum(widened[:, 0], fit.coefficients),
            np.maximum(widened[:, 1], fit.coefficients),
        ]
    )


def verdict(low: float, high: float) -> str:
    """Say what an interval allows one to say: one of `smile_core.explanation.VERDICTS`."""
    if low > _ROUNDING:
        return DRIVES
    return AGAINST if high < -_ROUNDING else NOTHING


@dataclass(frozen=True)
class _Problem:
    """A fit as a regression through one point: slopes of `response` on `columns`.

    `columns` (n, k) and `response` (n,) are measured from `centre` (k,) and `level`: the weighted
    means, where the level is free, or the full instruction, where it is fixed (`shapley`).
    """

    columns: np.ndarray
    response: np.ndarray
    weights: np.ndarray
    centre: np.ndarray
    level: float
    free_level: bool
    pairs: list[tuple[int, int]]


def _pose(
    name: str, X: np.ndarray, y: np.ndarray, weights: np.ndarray, interactions: bool
) -> _Problem:
    X, y, weights = (np.asarray(values, dtype=float) for values in (X, y, weights))
    n, m = X.shape
    if not len(y) == len(weights) == n:
        raise ValueError(f"{n} masks, {len(y)} responses and {len(weights)} weights do not match.")
    if interactions and m > MAX_INTERACTION_UNITS:
        raise ConfigError(
            f"Interactions can be fitted for at most {MAX_INTERACTION_UNITS} units, not {m}. "
            "Switch them off, shorten the instruction, or choose the granularity 'phrase'."
        )
    pairs = list(combinations(range(m), 2)) if interactions else []
    Z = np.column_stack([X, *(X[:, i] * X[:, j] for i, j in pairs)])  # (n, k)
    if name == "shapley":
        full = X.all(axis=1)
        if not full.any():
            raise ValueError("The Shapley fit needs the full instruction among the samples.")
        weights = shapley_weights(X)
        centre, level = np.ones(Z.shape[1]), float(y[full].mean())
    if not weights.sum() > 0:
        raise ValueError("All sample weights are zero. Choose a larger kernel width.")
    weights = weights * (n / weights.sum())
    if name != "shapley":
        centre, level = np.average(Z, axis=0, weights=weights), np.average(y, weights=weights)
    return _Problem(Z - centre, y - level, weights, centre, level, name != "shapley", pairs)


def _truncate(
    U: np.ndarray, s: np.ndarray, Vt: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Drop the directions that the weighted masks do not span."""
    kept = s > _RANK_TOLERANCE * max(s.max(initial=0), np.finfo(float).tiny)
    return U[:, kept], s[kept], Vt[kept]


def _penalty(
    name: str, A: np.ndarray, b: np.ndarray, U: np.ndarray, s: np.ndarray, own: np.ndarray
) -> float:
    if name == "ridge":
        shrink = s[:, None] ** 2 / (s[:, None] ** 2 + _RIDGE_PENALTIES)  # (r, a)
        predicted = U @ (shrink * (U.T @ b)[:, None])  # (n, a)
        errors = _left_out_errors(b[:, None] - predicted, U**2 @ shrink + own[:, None])
        return float(_RIDGE_PENALTIES[np.argmin(errors)])
    if name == "bayesian-ridge":
        # The columns are centred and weighted already. The default tolerance stops well short of
        # the optimum.
        model = BayesianRidge(fit_intercept=False, tol=1e-10, max_iter=1000).fit(A, b)
        return float(model.lambda_ / model.alpha_)
    return 0.0


def _lasso(A: np.ndarray, b: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Return slopes (k,), penalty and leverage (n,) at the best knot of the LARS path."""
    penalties, _, path = lars_path(A, b, method="lasso")  # (a,), (k, a)
    leverages = np.empty((len(b), len(penalties)))
    for index, active in enumerate(path.T != 0):
        U, s, Vt = np.linalg.svd(A[:, active], full_matrices=False)
        leverages[:, index] = np.sum(_truncate(U, s, Vt)[0] ** 2, axis=1)
    best = int(np.argmin(_left_out_errors(b[:, None] - A @ path, leverages + own[:, None])))
    return path[:, best], float(penalties[best]), leverages[:, best]


def _left_out_errors(residuals: np.ndarray, leverages: np.ndarray) -> np.ndarray:
    """Return the weighted squared leave-one-out error per candidate, (n, a) to (a,)."""
    free = 1 - leverages
    errors = residuals / np.maximum(free, _SATURATED)
    return np.sum(np.where(free > _SATURATED, errors**2, np.inf), axis=0)


def _refit(name: str, problem: _Problem, draws: np.ndarray, penalty: float) -> np.ndarray:
    """Fit every row of sample weights `draws` (B, n) from its normal equations; (B, k)."""
    Z, response = problem.columns, problem.response
    n, k = Z.shape
    products = (Z[:, :, None] * Z[:, None, :]).reshape(n, k * k)
    gram = (draws @ products).reshape(-1, k, k)  # (B, k, k)
    moment = draws @ (Z * response[:, None])  # (B, k)
    if problem.free_level:
        total = draws.sum(axis=1, keepdims=True)  # (B, 1)
        mean, level = draws @ Z / total, draws @ response[:, None] / total  # (B, k), (B, 1)
        gram -= total[:, :, None] * mean[:, :, None] * mean[:, None, :]
        moment -= total * mean * level
    if name == "lasso":
        return _lasso_descent(gram, moment, penalty * n)
    if penalty:
        return np.linalg.solve(gram + penalty * np.eye(k), moment[:, :, None])[:, :, 0]
    inverse = np.linalg.pinv(gram, rcond=_RANK_TOLERANCE, hermitian=True)
    return (inverse @ moment[:, :, None])[:, :, 0]


def _lasso_descent(gram: np.ndarray, moment: np.ndarray, penalty: float) -> np.ndarray:
    """Minimise bᵀGb/2 - mᵀb + penalty·|b| for every (G, m) at once by coordinate descent."""
    slopes = np.zeros_like(moment)  # (B, k)
    for _ in range(200):
        before = slopes.copy()
        for j in range(slopes.shape[1]):
            curve = gram[:, j, j]  # (B,)
            pull = moment[:, j] - np.sum(gram[:, j] * slopes, axis=1) + curve * slopes[:, j]
            step = np.sign(pull) * np.maximum(np.abs(pull) - penalty, 0)
            slopes[:, j] = np.divide(step, curve, out=np.zeros_like(step), where=curve > 1e-12)
        if np.abs(slopes - before).max() < 1e-9:
            break
    return slopes
