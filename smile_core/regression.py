"""The arithmetic of the surrogates: one weighted regression and its penalty.

`surrogate.py` is the door to this file and says what each surrogate means.

References
----------
[1] Lundberg and Lee, A unified approach to interpreting model predictions, NeurIPS 2017.
[2] Zhao et al., BayLIME, UAI 2021.
[3] Friedman et al., Regularization paths for generalized linear models via coordinate descent,
    Journal of Statistical Software 2010 (the lasso).
[4] Rad and Maleki, A scalable estimate of the out-of-sample prediction error, JRSS B 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from sklearn.linear_model import BayesianRidge

from smile_core.config import ConfigError

MAX_INTERACTION_UNITS = 10
# 1 - leverage below this: the sample decides its own prediction, leaving it out says nothing.
SATURATED = 1e-9
# Singular values below this share of the largest count as zero.
_RANK_TOLERANCE = 1e-9
_FLAT_PRIORS = dict.fromkeys(("alpha_1", "alpha_2", "lambda_1", "lambda_2"), 1e-9)
_RIDGE_PENALTIES = np.logspace(3, -9, 37)
_LASSO_STRENGTHS = np.logspace(0, -4, 40)
# Masks are nearly uncorrelated, so a few dozen sweeps are the rule.
_LASSO_SWEEPS = 500


def shapley_weights(X: np.ndarray) -> np.ndarray:
    """Return KernelSHAP's weights for the masks that were run.

    A subset of s of the m units has the kernel weight (m - 1)/(C(m, s)·s·(m - s)) [1], so all
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


@dataclass(frozen=True)
class Problem:
    """A fit as a regression through one point: slopes of `response` on `columns`.

    `columns` (n, k) and `response` (n,) are measured from `centre` (k,) and `level`: the weighted
    means, where the level is free, or the full instruction, where it is fixed (`shapley`). The
    slopes are `offset` (k,) + `basis` (k, q) times what is fitted: all of them (q = k), or those
    that add up to a known sum.
    """

    columns: np.ndarray
    response: np.ndarray
    weights: np.ndarray
    centre: np.ndarray
    level: float
    free_level: bool
    pairs: list[tuple[int, int]]
    offset: np.ndarray
    basis: np.ndarray

    @property
    def n_units(self) -> int:
        """Number of columns that are units, m; the others are products of two."""
        return self.columns.shape[1] - len(self.pairs)


def pose(
    name: str,
    X: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    interactions: bool,
    empty: float | None = None,
) -> Problem:
    """Check what was given and pose the fit of `fit_surrogate` as a `Problem`."""
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
    offset, basis = np.zeros(Z.shape[1]), np.eye(Z.shape[1])
    if name == "shapley" and empty is not None:
        # All columns are 1 for the full instruction and 0 for the empty one, so the slopes add up
        # to the difference of the two responses.
        k = Z.shape[1]
        offset = np.full(k, (level - empty) / k)
        basis = np.linalg.svd(np.ones((1, k)))[2][1:].T  # (k, k - 1), at right angles to ones
    return Problem(
        Z - centre, y - level, weights, centre, level, name != "shapley", pairs, offset, basis
    )


def smoother(name: str, problem: Problem, penalty: float) -> np.ndarray:
    """Return ∂slopes/∂y at a given penalty, shape (k, n).

    That of `lasso` is taken without its penalty: a word it sets to 0 is uncertain all the same.
    """
    root = np.sqrt(problem.weights)  # (n,)
    A = root[:, None] * (problem.columns @ problem.basis)  # (n, q)
    U, s, Vt = truncate(*np.linalg.svd(A, full_matrices=False))
    shrink = 1.0 if name == "lasso" else s**2 / (s**2 + penalty)
    # A free level needs no term of its own: the weighted columns add up to 0.
    return problem.basis @ (Vt.T * (shrink / s)) @ (U.T * root)


def truncate(
    U: np.ndarray, s: np.ndarray, Vt: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Drop the directions that the weighted masks do not span."""
    kept = s > _RANK_TOLERANCE * max(s.max(initial=0), np.finfo(float).tiny)
    return U[:, kept], s[kept], Vt[kept]


def choose_penalty(
    name: str, A: np.ndarray, b: np.ndarray, U: np.ndarray, s: np.ndarray, own: np.ndarray
) -> float:
    """Return α of the squared penalty; `U`, `s` are of A's singular value decomposition.

    `own` (n,) is the part of each leverage that is due to the intercept.
    """
    if name == "ridge":
        shrink = s[:, None] ** 2 / (s[:, None] ** 2 + _RIDGE_PENALTIES)  # (r, a)
        predicted = U @ (shrink * (U.T @ b)[:, None])  # (n, a)
        best = _best_left_out(b[:, None] - predicted, U**2 @ shrink + own[:, None])
        return float(_RIDGE_PENALTIES[best])
    if name == "bayesian-ridge":
        # The columns are centred and weighted already. scikit-learn's own priors (1e-6) and
        # tolerance (1e-3) would keep a clean response from being met to more than 1e-5.
        model = BayesianRidge(fit_intercept=False, tol=1e-10, max_iter=1000, **_FLAT_PRIORS)
        model.fit(A, b)
        return float(model.lambda_ / model.alpha_)
    return 0.0


def fit_lasso(
    A: np.ndarray, b: np.ndarray, own: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray]:
    """Return slopes (k,), penalty and leverage (n,) at the best of the candidates.

    These are 40 penalties, from the one that leaves nothing to a ten-thousandth of it, and plain
    least squares. (The exact path by LARS stops at ties, and words of equal effect are ties.)
    """
    gram, moment = A.T @ A, A.T @ b  # (k, k), (k,)
    penalties = np.append(np.abs(moment).max() * _LASSO_STRENGTHS, 0.0)  # (a,)
    tiled = (
        np.tile(gram, (len(_LASSO_STRENGTHS), 1, 1)),
        np.tile(moment, (len(_LASSO_STRENGTHS), 1)),
    )
    path = np.vstack(
        [
            _lasso_descent(*tiled, penalties[:-1]),
            np.linalg.lstsq(A, b, rcond=_RANK_TOLERANCE)[0],
        ]
    )  # (a, k)
    leverages = np.empty((len(b), len(penalties)))
    for index, active in enumerate(path != 0):
        U, s, Vt = np.linalg.svd(A[:, active], full_matrices=False)
        leverages[:, index] = np.sum(truncate(U, s, Vt)[0] ** 2, axis=1)
    best = _best_left_out(b[:, None] - A @ path.T, leverages + own[:, None])
    return path[best], float(penalties[best] / len(b)), leverages[:, best]


def _best_left_out(residuals: np.ndarray, leverages: np.ndarray) -> int:
    """Return the candidate with the least weighted leave-one-out error.

    Both arrays are (n, a), candidates from the strongest penalty to the weakest. Where there are
    no more samples than parameters, samples cannot be spared to judge by, and the weakest is
    taken.
    """
    free = 1 - leverages
    if free[leverages[:, -1] > 0, -1].sum() < 1e-6:
        return leverages.shape[1] - 1
    errors = residuals / np.maximum(free, SATURATED)
    return int(np.argmin(np.sum(np.where(free > SATURATED, errors**2, np.inf), axis=0)))


def _lasso_descent(gram: np.ndarray, moment: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Minimise bᵀGb/2 - mᵀb + α|b| for B problems at once by coordinate descent.

    Shapes are (B, k, k), (B, k), (B,) and, for the answer, (B, k).
    """
    slopes = np.zeros_like(moment)  # (B, k)
    for _ in range(_LASSO_SWEEPS):
        before = slopes.copy()
        for j in range(slopes.shape[1]):
            curve = gram[:, j, j]  # (B,)
            pull = moment[:, j] - np.sum(gram[:, j] * slopes, axis=1) + curve * slopes[:, j]
            step = np.sign(pull) * np.maximum(np.abs(pull) - penalties, 0)
            slopes[:, j] = np.divide(step, curve, out=np.zeros_like(step), where=curve > 1e-12)
        if np.abs(slopes - before).max() < 1e-10:
            break
    return slopes
