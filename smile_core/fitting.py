"""The fit of a run: which of its rows enter, with what weights, and what comes out.

Knows distances, never pictures, so that a finished run can be fitted anew in another way.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from smile_core.config import PERTURBATIONS_PER_UNIT, RunConfig
from smile_core.explanation import (
    ANY_UNIT,
    CHANCE,
    NOTHING_HAPPENED,
    ONE_IS_ENOUGH,
    UNCHANGED,
    UNCLEAR,
    UnitWeight,
)
from smile_core.fidelity import fidelity
from smile_core.intervals import Uncertainty, measure_uncertainty, verdict
from smile_core.kernel import effective_sample_size, kernel_weights
from smile_core.regression import shapley_weights
from smile_core.response import Distances, NothingChangedError, glitch
from smile_core.surrogate import Fit, fit_surrogate

# What is said of every unit where no unit has a weight of its own.
_WITHOUT_NUMBERS = {
    UNCHANGED: NOTHING_HAPPENED,
    CHANCE: NOTHING_HAPPENED,
    ANY_UNIT: ONE_IS_ENOUGH,
}


@dataclass(frozen=True)
class Fitted:
    """A fit, beside the rows it was made on.

    Attributes
    ----------
    fit : Fit
        The surrogate, of the rows in the fit.
    uncertainty : Uncertainty
        What moves its weights.
    known, rows : ndarray of int
        The rows with a distance, and those of them in the fit.
    glitch : int or None
        The known row that was left out because it lies far out of all others.
    similarities, weights : ndarray, shape (n + 1,)
        Response and sample weight, NaN where there is none.
    predicted : ndarray, shape (n + 1,)
        The surrogate's answer for every row.
    measured : ndarray of bool, shape (m,)
        Units that were left out in some row of the fit, so that something is known of them.
    judged : bool
        Whether there are edits enough for verdicts: twice as many as units, or all there are.
    changed : bool
        False when there is nothing to explain: all edits are the same, or nothing happened.
    """

    fit: Fit
    uncertainty: Uncertainty
    known: np.ndarray
    rows: np.ndarray
    glitch: int | None
    similarities: np.ndarray
    weights: np.ndarray
    predicted: np.ndarray
    measured: np.ndarray
    judged: bool
    changed: bool


def fit_rows(
    config: RunConfig,
    masks: np.ndarray,
    *,
    text_distances: np.ndarray,
    distances: Distances,
    p_values: np.ndarray | None,
    happened: bool = True,
) -> Fitted:
    """Fit the rows whose distance is known.

    Parameters
    ----------
    config : RunConfig
        Response, surrogate, kernel width, interactions and p-value cutoff.
    masks : ndarray of int, shape (n + 1, m)
        Row 0 is the reference, all ones.
    text_distances : ndarray, shape (n + 1,)
        Distance of each prompt to the full instruction.
    distances : Distances
        Of the pictures.
    p_values : ndarray, shape (n + 1,), or None
        None leaves no row out.
    happened : bool
        False where the full edit is the edit without instruction, so that there is nothing to fit.

    Returns
    -------
    Fitted
        When nothing happened, all edits are the same, or there is only the reference: a flat
        model, with weights of 0.
    """
    m = masks.shape[1]
    means = distances.means  # (n + 1,)
    known = np.flatnonzero(~np.isnan(means))  # row 0 is always among them
    outlier = glitch(distances)
    rows = _passing(known[known != outlier], p_values, config.p_cutoff)
    similarities, weights = np.full((2, len(means)), np.nan)
    changed = happened
    try:
        similarities = distances.response(config.response)
    except NothingChangedError:
        changed = False
    if not changed:
        similarities[known] = 1.0

    X = masks[rows].astype(float)  # (f, m)
    kernel, _ = kernel_weights(text_distances[rows], config.kernel_width)  # (f,)
    weights[rows] = _shown_weights(config.surrogate, X, kernel)
    if changed and len(rows) > 1:
        empty = _empty_response(config, distances)
        y, pairs = similarities[rows], config.interactions
        fit = fit_surrogate(config.surrogate, X, y, kernel, interactions=pairs, empty=empty)
        uncertainty = measure_uncertainty(
            config.surrogate,
            X,
            y,
            kernel,
            interactions=pairs,
            empty=empty,
            # By an editor without a seed an edit is a draw, even when every text was run.
            run_share=0.0 if distances.among is not None else (len(known) - 1) / (2.0**m - 2),
            repeats=[part[:, rows] for part in distances.without_each(config.response)],
        )
    else:
        fit = _flat_fit(X, weights[rows])
        uncertainty = Uncertainty(
            np.zeros(m), np.zeros((1, m)), np.ones(m), (), X.all(axis=0) | (len(rows) == 1)
        )
    return Fitted(
        fit=fit,
        uncertainty=uncertainty,
        known=known,
        rows=rows,
        glitch=outlier,
        similarities=similarities,
        weights=weights,
        predicted=_predict(fit, masks),
        measured=~X.all(axis=0),
        judged=len(rows) - 1 >= min(PERTURBATIONS_PER_UNIT * m, 2.0**m - 2),
        changed=changed,
    )


def _empty_response(config: RunConfig, distances: Distances) -> float | None:
    """Return the response of the edit without instruction: 0, where the scale rests on it."""
    return 0.0 if config.response == "share" and distances.way is not None else None


def model_fields(
    units: tuple[str, ...], fitted: Fitted, negligible: float, outcome: str
) -> dict[str, Any]:
    """Return what an `Explanation` says of the fit as a whole, by the names of its fields."""
    fit, rows = fitted.fit, fitted.rows
    return {
        "units": tuple(unit_weights(units, fitted, negligible, outcome)),
        "outcome": outcome,
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


def unit_weights(
    units: Sequence[str], fitted: Fitted, negligible: float, outcome: str
) -> Iterator[UnitWeight]:
    """Yield every unit with its weight, interval and verdict."""
    intervals = fitted.uncertainty.intervals()  # (m, 2)
    for text, weight, (low, high), measured in zip(
        units, fitted.fit.coefficients, intervals, fitted.measured, strict=True
    ):
        if outcome in _WITHOUT_NUMBERS:
            told = _WITHOUT_NUMBERS[outcome]
            yield UnitWeight(text=text, weight=0.0, low=0.0, high=0.0, verdict=told, measured=False)
        elif not (measured and fitted.judged):
            # Too few edits give intervals that are short by chance; none is drawn before.
            yield UnitWeight(
                text=text,
                weight=float(weight) if measured else 0.0,
                low=min(-1.0, float(weight)),
                high=max(1.0, float(weight)),
                verdict=UNCLEAR,
                measured=bool(measured),
            )
        else:
            yield UnitWeight(
                text=text,
                weight=float(weight),
                low=float(low),
                high=float(high),
                verdict=verdict(low, high, negligible),
            )


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
