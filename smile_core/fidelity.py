"""How well the surrogate reproduces the editor (equations 8-14 of the paper).

The paper's text is followed, with weights where a weighted figure must have them.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277, section "Fidelity".
[2] Allen, The relationship between variable selection and data augmentation and a method for
    prediction, Technometrics 1974 (leave-one-out in closed form).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smile_core.regression import SATURATED


@dataclass(frozen=True)
class Metric:
    """What a page needs to explain one figure of fidelity.

    Attributes
    ----------
    label : str
        Short name for a table.
    meaning : str
        One plain sentence.
    range : str
        The values it can take.
    direction : str
        `higher` or `lower`: which is better.
    """

    label: str
    meaning: str
    range: str
    direction: str


_ERROR_RANGE = "from 0; 1 is the whole way, and a poor fit can exceed it"
_R2_RANGE = "up to 1; below 0 is worse than always predicting the mean"

FIDELITY: dict[str, Metric] = {
    "mse": Metric(
        "MSE", "Mean squared gap between predicted and measured similarity.", _ERROR_RANGE, "lower"
    ),
    "wmse": Metric(
        "Weighted MSE",
        "Mean squared gap, in which prompts close to the instruction count more.",
        _ERROR_RANGE,
        "lower",
    ),
    "mae": Metric(
        "MAE", "Mean absolute gap between predicted and measured similarity.", _ERROR_RANGE, "lower"
    ),
    "wmae": Metric(
        "Weighted MAE",
        "Mean absolute gap, in which prompts close to the instruction count more.",
        _ERROR_RANGE,
        "lower",
    ),
    "l1": Metric(
        "L1", "Mean L1 loss as the paper defines it; the same number as the MAE.",
        _ERROR_RANGE, "lower",
    ),
    "l2": Metric(
        "L2", "Mean L2 loss as the paper defines it; the same number as the MSE.",
        _ERROR_RANGE, "lower",
    ),
    "r2": Metric(
        "R²",
        "Share of the variation between edits that the words explain, all edits counting alike.",
        _R2_RANGE,
        "higher",
    ),
    "r2_w": Metric(
        "Weighted R²",
        "Share of the variation that the words explain, prompts close to the instruction first.",
        _R2_RANGE,
        "higher",
    ),
    "r2_w_adj": Metric(
        "Adjusted R²",
        "Weighted R² after a discount for the number of words that were fitted.",
        _R2_RANGE,
        "higher",
    ),
    "r2_w_loo": Metric(
        "Leave-one-out R²",
        "Weighted R² on edits the model did not see while fitting; the honest one.",
        _R2_RANGE,
        "higher",
    ),
}  # fmt: skip


def fidelity(
    y: np.ndarray,
    predicted: np.ndarray,
    weights: np.ndarray,
    *,
    n_parameters: int,
    leverage: np.ndarray | None = None,
) -> dict[str, float | None]:
    """Return all figures of fidelity, keyed like `FIDELITY`.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Measured responses, f in the paper's equation 8.
    predicted : ndarray, shape (n,)
        The surrogate's answers, g.
    weights : ndarray, shape (n,)
        Sample weights of the fit (`Fit.weights`).
    n_parameters : int
        Slopes fitted, the intercept not counted (`Fit.n_parameters`); N_s in equation 10.
    leverage : ndarray, shape (n,), optional
        `Fit.leverage`; without it there is no `r2_w_loo`.

    Returns
    -------
    dict of str to float or None
        None where a figure is undefined: R² of a constant response, adjusted R² when
        n <= n_parameters + 1, leave-one-out when a weighted sample decides its own prediction.

    Notes
    -----
    Where the printed equations differ:

    - (8) and (10), R² and its adjustment: as printed.
    - (9), R²_w: printed with the weighted mean but unweighted sums; both sums are weighted here,
      as in the published code, or it would not be a share of anything.
    - (11), (12), WMSE and WMAE: as printed; the text below them swaps f and g, which a square
      and an absolute value do not notice.
    - (13), (14), L1 and L2: as printed, which makes them the MAE and the MSE.
    - r2_w_loo is not in the paper: each error is replaced by y_i minus the prediction of a fit
      without sample i, which is (y_i - predicted_i)/(1 - leverage_i) [2].
    """
    y, predicted, weights = (np.asarray(v, dtype=float) for v in (y, predicted, weights))
    error = y - predicted  # (n,)
    n = len(y)
    share = weights / weights.sum()  # (n,)
    r2_w = _r2(error, y, share)
    freedom = n - n_parameters - 1
    values: dict[str, float | None] = {
        "mse": float(np.mean(error**2)),
        "wmse": float(share @ error**2),
        "mae": float(np.mean(np.abs(error))),
        "wmae": float(share @ np.abs(error)),
        "l1": float(np.mean(np.abs(error))),
        "l2": float(np.mean(error**2)),
        "r2": _r2(error, y, np.full(n, 1 / n)),
        "r2_w": r2_w,
        "r2_w_adj": None if r2_w is None or freedom <= 0 else 1 - (1 - r2_w) * (n - 1) / freedom,
        "r2_w_loo": None,
    }
    if leverage is not None:
        free = 1 - np.asarray(leverage, dtype=float)  # (n,)
        counted = share > 0
        if np.all(free[counted] > SATURATED):
            left_out = np.where(counted, error / np.maximum(free, SATURATED), 0.0)
            values["r2_w_loo"] = _r2(left_out, y, share)
    return values


def _r2(error: np.ndarray, y: np.ndarray, share: np.ndarray) -> float | None:
    """Return 1 - Σwe²/Σw(y - ȳ_w)², or None when y does not vary; `share` sums to 1."""
    variance = share @ (y - share @ y) ** 2
    return None if variance <= 1e-24 else float(1 - share @ error**2 / variance)
