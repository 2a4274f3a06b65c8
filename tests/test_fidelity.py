"""Fidelity against numbers worked out by hand, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from smile_core.fidelity import FIDELITY, fidelity

Y = np.array([1.0, 0.0, 0.5, 0.5])
PREDICTED = np.array([0.8, 0.2, 0.5, 0.9])
WEIGHTS = np.array([4.0, 2.0, 1.0, 1.0])


def test_by_hand() -> None:
    """Errors 0.2, -0.2, 0, -0.4; squares 0.04, 0.04, 0, 0.16. ȳ = 0.5, ȳ_w = 5/8."""
    figures = fidelity(Y, PREDICTED, WEIGHTS, n_parameters=1)
    assert figures["mse"] == figures["l2"] == pytest.approx(0.24 / 4)
    assert figures["mae"] == figures["l1"] == pytest.approx(0.8 / 4)
    # 4·0.04 + 2·0.04 + 0.16 = 0.4 and 4·0.2 + 2·0.2 + 0.4 = 1.6, over 8.
    assert figures["wmse"] == pytest.approx(0.05)
    assert figures["wmae"] == pytest.approx(0.2)
    assert figures["r2"] == pytest.approx(1 - 0.24 / 0.5)
    # 4·0.375² + 2·0.625² + 2·0.125² = 0.5625 + 0.78125 + 0.03125 = 1.375.
    assert figures["r2_w"] == pytest.approx(1 - 0.4 / 1.375)
    assert figures["r2_w_adj"] == pytest.approx(1 - 0.4 / 1.375 * 3 / 2)
    assert figures["r2_w_loo"] is None


def test_leave_one_out_by_hand() -> None:
    """The weighted mean as model: leverage w/Σw, and each left-out mean is easily told."""
    leverage = WEIGHTS / 8
    figures = fidelity(Y, np.full(4, 5 / 8), WEIGHTS, n_parameters=0, leverage=leverage)
    # Means without each sample: 1/4, 5/6, 4.5/7, 4.5/7.
    errors = np.array([1 - 1 / 4, 0 - 5 / 6, 0.5 - 4.5 / 7, 0.5 - 4.5 / 7])
    assert figures["r2_w_loo"] == pytest.approx(1 - (WEIGHTS @ errors**2) / 1.375)
    assert figures["r2_w"] == pytest.approx(0)


def test_weighted_figures_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    y, predicted, weights = rng.random((3, 40))
    figures = fidelity(y, predicted, weights, n_parameters=5)
    assert figures["wmse"] == pytest.approx(mean_squared_error(y, predicted, sample_weight=weights))
    assert figures["wmae"] == pytest.approx(
        mean_absolute_error(y, predicted, sample_weight=weights)
    )
    assert figures["r2"] == pytest.approx(r2_score(y, predicted))
    assert figures["r2_w"] == pytest.approx(r2_score(y, predicted, sample_weight=weights))


def test_undefined_figures_are_none() -> None:
    few = fidelity(Y, PREDICTED, WEIGHTS, n_parameters=3, leverage=np.array([1.0, 0.5, 0.5, 0.5]))
    assert few["r2_w_adj"] is None
    assert few["r2_w_loo"] is None
    constant = fidelity(np.ones(4), np.ones(4), WEIGHTS, n_parameters=1, leverage=np.zeros(4))
    assert constant["r2"] is constant["r2_w"] is constant["r2_w_adj"] is None
    assert constant["mse"] == 0


def test_a_sample_without_weight_does_not_spoil_leave_one_out() -> None:
    weights, leverage = np.array([0.0, 1, 1, 1]), np.array([1.0, 0.4, 0.4, 0.4])
    figures = fidelity(Y, PREDICTED, weights, n_parameters=1, leverage=leverage)
    errors = (Y - PREDICTED)[1:] / 0.6
    expected = 1 - np.sum(errors**2) / np.sum((Y[1:] - Y[1:].mean()) ** 2)
    assert figures["r2_w_loo"] == pytest.approx(expected)


def test_every_figure_explains_itself() -> None:
    assert set(FIDELITY) == set(fidelity(Y, PREDICTED, WEIGHTS, n_parameters=1))
    for metric in FIDELITY.values():
        assert metric.meaning.endswith(".")
        assert metric.direction in {"higher", "lower"}
