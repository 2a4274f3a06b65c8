"""The fit of a run: which of its rows enter, with what weights, and what comes out.

Knows distances, never pictures, so that a finished run can be fitted anew in another way.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from smile_core.config import RunConfig
from smile_core.explanation import UnitWeight
from smile_core.fidelity import fidelity
from smile_core.kernel import (
    NothingChangedError,
    effective_sample_size,
    kernel_weights,
    similarity,
)
from smile_core.regression import shapley_weights
from smile_core.resampling import bootstrap_intervals, verdict
from smile_core.surrogate import Fit, fit_surrogate


@dataclass(frozen=True)
class Fitted:
    """A fit, beside the rows it was made on.

    Attributes
    ----------
    fit : Fit
        The surrogate, of the rows in the fit.
    intervals : ndarray, shape (m, 2)
        Low and high end per unit.
    known, rows : ndarray of int
        The rows with a distance, and those of them in the fit.
    similarities, weights : ndarray, shape (n + 1,)
        Response and sample weight, NaN where there is none.
    predicted : ndarray, shape (n + 1,)
        The surrogate's answer for every row.
    changed : bool
        False when all edits are the same.
    """

    fit: Fit
    intervals: np.ndarray
    known: np.ndarray
    rows: np.ndarray
    similarities: np.ndarray
    weights: np.ndarray
    predicted: np.ndarray
    changed: bool


def fit_rows(
    config: RunConfig,
    masks: np.ndarray,
    *,
    text_distances: np.ndarray,
    distances: np.ndarray,
    p_values: np.ndarray | None,
    bootstrap_seed: np.random.SeedSequence,
) -> Fitted:
    """Fit the rows whose distance is known.

    Parameters
    ----------
    config : RunConfig
        Surrogate, kernel width, interactions and p-value cutoff.
    masks : ndarray of int, shape (n + 1, m)
        Row 0 is the reference, all ones.
    text_distances : ndarray, shape (n + 1,)
        Distance of each prompt to the full instruction.
    distances : ndarray, shape (n + 1,)
        Image distances, the reference's own 0 first; NaN where unknown.
    p_values : ndarray, shape (n + 1,), or None
        None leaves no row out.
    bootstrap_seed : numpy.random.SeedSequence
        Seed of the intervals.

    Returns
    -------
    Fitted
        When all edits are the same, or there is only the reference, a flat model: weights of 0,
        and the interval [-1, 1] for a unit that was never left out.
    """
    known = np.flatnonzero(~np.isnan(distances))  # row 0 is always among them
    rows = _passing(known, p_values, config.p_cutoff)
    similarities, weights = np.full((2, len(distances)), np.nan)
    try:
        similarities[known] = similarity(distances[known])
        changed = True
    except NothingChangedError:
        similarities[known] = 1.0
        changed = False

    X = masks[rows].astype(float)  # (f, m)
    kernel, _ = kernel_weights(text_distances[rows], config.kernel_width)  # (f,)
    weights[rows] = _shown_weights(config.surrogate, X, kernel)
    if changed and len(rows) > 1:
        y, pairs = similarities[rows], config.interactions
        fit = fit_surrogate(config.surrogate, X, y, kernel, interactions=pairs)
        rng = np.random.default_rng(bootstrap_seed)
        intervals = bootstrap_intervals(
            config.surrogate, X, y, kernel, interactions=pairs, rng=rng
        )  # (m, 2)
    else:
        fit = _flat_fit(X, weights[rows])
        intervals = np.where(X.all(axis=0)[:, None], [-1.0, 1.0], 0.0)
    predicted = _predict(fit, masks)
    return Fitted(fit, intervals, known, rows, similarities, weights, predicted, changed)


def model_fields(units: tuple[str, ...], fitted: Fitted) -> dict[str, Any]:
    """Return what an `Explanation` says of the fit as a whole, by the names of its fields."""
    fit, rows = fitted.fit, fitted.rows
    return {
        "units": tuple(
            UnitWeight(
                text=text,
                weight=float(weight),
                low=float(low),
                high=float(high),
                verdict=verdict(low, high),
            )
            for text, weight, (low, high) in zip(
                units, fit.coefficients, fitted.intervals, strict=True
            )
        ),
        "intercept": fit.intercept,
        "interactions": fit.interactions,
        "fidelity": fidelity(
            fitted.similarities[rows],
            fit.predicted,
            fit.weights,
            n_parameters=fit.n_parameters,
            leverage=fit.leverage,
        ),
        "effective_sample_size": effective_sample_size(fitted.weights[rows]),
    }


def row_fields(fitted: Fitted, row: int) -> dict[str, Any]:
    """Return what a `Sample` says of its part in the fit, by the names of its fields."""
    return {
        "sample_weight": number_or_none(fitted.weights[row]),
        "similarity": number_or_none(fitted.similarities[row]),
        "predicted": float(fitted.predicted[row]),
    }


def cutoff_note(left_out: int, known: int, p_cutoff: float | None) -> tuple[str, ...]:
    """Say how many of the `known` edits the cutoff left out; nothing where it left out none."""
    if not left_out:
        return ()
    return (
        f"{left_out} of {known} edits have a p-value above {p_cutoff:g} and were left out of the "
        "fit.",
    )


def number_or_none(value: float) -> float | None:
    """Return None in the place of NaN."""
    return None if np.isnan(value) else float(value)


def numbers_or_nan(values: list[float | None]) -> np.ndarray:
    """Return an array with NaN in the place of None."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _passing(known: np.ndarray, p_values: np.ndarray | None, cutoff: float | None) -> np.ndarray:
    """Return the rows that enter the fit: all that are known, or those below the cutoff."""
    if cutoff is None or p_values is None:
        return known
    return np.array([row for row in known if row == 0 or p_values[row] <= cutoff])


def _shown_weights(surrogate: str, X: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return the weights a reader is shown, in (0, 1], the reference's 1 first."""
    if surrogate != "shapley" or len(X) == 1:
        return kernel
    weights = shapley_weights(X)  # (f,); 0 for the reference, through which the fit must pass
    weights = weights / weights.max()
    weights[0] = 1.0
    return weights


def _flat_fit(X: np.ndarray, weights: np.ndarray) -> Fit:
    """Return the model of a response that does not move: every prediction is 1."""
    rows, m = X.shape
    return Fit(
        coefficients=np.zeros(m),
        intercept=1.0,
        interactions=(),
        predicted=np.ones(rows),
        weights=weights,
        leverage=np.zeros(rows),
        deficient=False,
        penalty=0.0,
    )


def _predict(fit: Fit, masks: np.ndarray) -> np.ndarray:
    """Return the surrogate's answer for every mask, (n + 1,)."""
    answer = fit.intercept + masks @ fit.coefficients
    for i, j, coefficient in fit.interactions:
        answer = answer + coefficient * masks[:, i] * masks[:, j]
    return answer
