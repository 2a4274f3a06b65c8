"""Weighted linear models from "which units were kept" to "how close is the picture".

The coefficient of a unit says how much similarity to the full edit is gained by keeping it. All
surrogates are linear, so that the coefficients mean the same under every name; they differ in
how they trust few or noisy samples.

- `linear`: weighted least squares with an intercept; of minimum norm where the masks cannot tell
  units apart.
- `ridge`: squared penalty α‖b‖²; α of 37 values by the exact leave-one-out error.
- `lasso`: absolute penalty; the one of 40 with the smallest approximate leave-one-out error [4].
  Least squares is among the candidates, so a clean response is not shrunk.
- `bayesian-ridge`: ridge whose penalty is the ratio of the noise and weight precisions that
  maximise the evidence (BayLIME [2]).
- `lime`: the linear fit. LIME [1] is this fit on cosine distances, and the distances and the
  kernel belong to the caller.
- `shapley`: KernelSHAP's weights [3] on the same samples, see `regression.shapley_weights`. The
  plane passes exactly through the full instruction and the edit without instruction, so that the
  coefficients sum to y(full) - y(empty), which is 1 on the scale of the way. Where the response
  of the empty prompt is not known it is estimated: it is the intercept.

Sample weights are scaled to mean 1 first: their common scale means nothing, and a penalty must
not depend on it.

References
----------
[1] Ribeiro et al., "Why should I trust you?" (LIME), KDD 2016.
[2] Zhao et al., BayLIME, UAI 2021.
[3] Lundberg and Lee, A unified approach to interpreting model predictions, NeurIPS 2017.
[4] Rad and Maleki, A scalable estimate of the out-of-sample prediction error, JRSS B 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smile_core.config import SURROGATES, check_choice
from smile_core.regression import choose_penalty, fit_lasso, pose, truncate


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
    name: str,
    X: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    *,
    interactions: bool = False,
    empty: float | None = None,
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
    empty : float or None
        Response of the empty prompt, through which `shapley` passes; the others do not use it,
        for with it they rank the words no better and fit worse (`tests/benchmarks/blank_row.py`).

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
    problem = pose(name, X, y, weights, interactions, empty)
    root = np.sqrt(problem.weights)  # (n,)
    A = root[:, None] * (problem.columns @ problem.basis)  # (n, q)
    b = root * (problem.response - problem.columns @ problem.offset)  # (n,)
    own = problem.weights / problem.weights.sum() if problem.free_level else 0 * root  # (n,)

    U, s, Vt = truncate(*np.linalg.svd(A, full_matrices=False))
    if name == "lasso":
        fitted, penalty, leverage = fit_lasso(A, b, own)
    else:
        penalty = choose_penalty(name, A, b, U, s, own)
        shrink = s**2 / (s**2 + penalty)  # (r,)
        fitted = Vt.T @ (shrink / s * (U.T @ b))  # (q,)
        leverage = U**2 @ shrink  # (n,)
    slopes = problem.offset + problem.basis @ fitted  # (k,)

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
