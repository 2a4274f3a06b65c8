"""Surrogates give back what is there, and agree with scikit-learn, LIME and KernelSHAP."""

from __future__ import annotations

import warnings
from itertools import permutations, product

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge, Lasso, LinearRegression, Ridge, RidgeCV

from smile_core.config import SURROGATES, ConfigError
from smile_core.fidelity import fidelity
from smile_core.intervals import measure_uncertainty
from smile_core.masks import design_masks
from smile_core.regression import fit_lasso, pose, shapley_weights, smoother
from smile_core.surrogate import Fit, fit_surrogate

TRUE = np.array([0.5, 0.0, -0.2, 0.3, 0.0])


def samples(m: int, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Masks (n + 1, m) with the reference first, sample weights of mean 1, and a generator."""
    rng = np.random.default_rng(seed)
    masks = design_masks(m, n, design="balanced", rng=rng)
    X = np.vstack([np.ones((1, m)), masks])
    weights = np.exp(-2 * rng.random(len(X)))
    return X, weights / weights.mean(), rng


def noisy(m: int = 5, n: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    X, weights, rng = samples(m, n)
    return X, 0.2 + X @ np.resize(TRUE, m) + rng.normal(0, 0.1, len(X)), weights


@pytest.mark.parametrize("name", SURROGATES)
@pytest.mark.parametrize(("m", "n"), [(2, 2), (3, 6), (5, 24), (12, 64), (30, 100)])
def test_a_linear_response_gives_its_weights_back(name: str, m: int, n: int) -> None:
    X, weights, rng = samples(m, n)
    true = rng.normal(size=m)
    fit = fit_surrogate(name, X, 0.3 + X @ true, weights)
    np.testing.assert_allclose(fit.coefficients, true, atol=1e-6)
    assert fit.intercept == pytest.approx(0.3, abs=1e-6)
    assert not fit.deficient
    assert fit.n_parameters == m


@pytest.mark.parametrize("name", SURROGATES)
def test_an_interaction_shows(name: str) -> None:
    X, weights, _ = samples(5, 30)
    y = 0.1 + X @ TRUE + 0.4 * X[:, 0] * X[:, 3]
    fit = fit_surrogate(name, X, y, weights, interactions=True)
    found = {(i, j): value for i, j, value in fit.interactions}
    assert found[0, 3] == pytest.approx(0.4, abs=1e-6)
    assert max(abs(value) for pair, value in found.items() if pair != (0, 3)) < 1e-6
    np.testing.assert_allclose(fit.coefficients, TRUE, atol=1e-6)
    np.testing.assert_allclose(fit.predicted, y, atol=1e-6)
    assert fit.n_parameters == 5 + 10


def test_interactions_of_many_units_are_refused() -> None:
    X, weights, _ = samples(11, 30)
    with pytest.raises(ConfigError, match="at most 10 units"):
        fit_surrogate("linear", X, X[:, 0], weights, interactions=True)


def assert_same_model(fit: Fit, model: LinearRegression, X: np.ndarray, rtol: float) -> None:
    np.testing.assert_allclose(fit.coefficients, model.coef_, rtol=rtol, atol=1e-9)
    assert fit.intercept == pytest.approx(model.intercept_, rel=rtol)
    np.testing.assert_allclose(fit.predicted, model.predict(X), rtol=rtol)


@pytest.mark.parametrize("name", ["linear", "lime"])
def test_least_squares_is_scikit_learns(name: str) -> None:
    X, y, weights = noisy()
    model = LinearRegression().fit(X, y, sample_weight=weights)
    assert_same_model(fit_surrogate(name, X, y, weights), model, X, 1e-9)


def test_ridge_is_scikit_learns() -> None:
    X, y, weights = noisy()
    fit = fit_surrogate("ridge", X, y, weights)
    assert fit.penalty > 1e-6  # noise asks for some
    model = Ridge(alpha=fit.penalty).fit(X, y, sample_weight=weights)
    assert_same_model(fit, model, X, 1e-9)


def test_ridge_chooses_the_penalty_that_scikit_learn_chooses() -> None:
    """By leave-one-out; so noisy that the intercept's share of a leverage decides now and then."""
    candidates = np.logspace(3, -9, 37)
    chosen, expected = [], []
    for seed in range(20):
        X, weights, rng = samples(5, 12, seed)
        y = 0.2 + X @ TRUE + rng.normal(0, 0.3, len(X))
        chosen.append(fit_surrogate("ridge", X, y, weights).penalty)
        expected.append(RidgeCV(alphas=candidates).fit(X, y, sample_weight=weights).alpha_)
    np.testing.assert_allclose(chosen, expected, rtol=1e-9)
    assert len(set(expected)) > 5


def test_bayesian_ridge_is_scikit_learns() -> None:
    X, y, weights = noisy()
    fit = fit_surrogate("bayesian-ridge", X, y, weights)
    model = BayesianRidge(tol=1e-10, max_iter=1000).fit(X, y, sample_weight=weights)
    assert_same_model(fit, model, X, 1e-5)  # its priors are 1e-6, ours 1e-9
    assert fit.penalty == pytest.approx(model.lambda_ / model.alpha_, rel=1e-3)


def test_lasso_is_scikit_learns() -> None:
    X, y, weights = noisy(8)
    fit = fit_surrogate("lasso", X, y, weights)
    assert fit.penalty > 0
    model = Lasso(alpha=fit.penalty, tol=1e-14, max_iter=100_000).fit(X, y, sample_weight=weights)
    assert_same_model(fit, model, X, 1e-6)


def test_lasso_leaves_out_what_does_nothing() -> None:
    X, weights, rng = samples(12, 64)
    y = 0.8 * X[:, 4] + rng.normal(0, 0.05, len(X))
    coefficients = fit_surrogate("lasso", X, y, weights).coefficients
    assert np.argmax(coefficients) == 4
    assert (coefficients == 0).sum() >= 3


def test_common_scale_of_the_weights_means_nothing() -> None:
    X, y, weights = noisy()
    for name in SURROGATES:
        one, other = (fit_surrogate(name, X, y, w) for w in (weights, 1e-3 * weights))
        np.testing.assert_allclose(one.coefficients, other.coefficients, atol=1e-9)
        assert other.weights.mean() == pytest.approx(1)


def exact_shapley(value: dict[tuple[int, ...], float], m: int) -> np.ndarray:
    """Average marginal contribution over all orders, from the definition."""
    total, orders = np.zeros(m), list(permutations(range(m)))
    for order in orders:
        mask = [0] * m
        for unit in order:
            before = value[tuple(mask)]
            mask[unit] = 1
            total[unit] += value[tuple(mask)] - before
    return total / len(orders)


def test_shapley_values_of_a_game_that_is_fully_known() -> None:
    """Any game: put the empty prompt's value where the fit estimates it, and values are exact."""
    rng = np.random.default_rng(5)
    m = 4
    value = {mask: rng.random() for mask in product((0, 1), repeat=m)}
    masks = [mask for mask in value if any(mask)]
    X = np.array(masks, dtype=float)
    y = np.array([value[mask] for mask in masks])
    fit = fit_surrogate("shapley", X, y, np.ones(len(X)))
    value[(0,) * m] = fit.intercept
    assert fit.coefficients.sum() + fit.intercept == pytest.approx(value[(1,) * m], abs=1e-12)
    np.testing.assert_allclose(fit.coefficients, exact_shapley(value, m), atol=1e-9)


def test_shapley_values_of_a_game_whose_empty_value_is_known() -> None:
    rng = np.random.default_rng(6)
    m = 4
    value = {mask: rng.random() for mask in product((0, 1), repeat=m)}
    X = np.array([mask for mask in value if any(mask)], dtype=float)
    y = np.array([value[mask] for mask in value if any(mask)])
    empty = value[(0,) * m]
    fit = fit_surrogate("shapley", X, y, np.ones(len(X)), empty=empty)
    assert fit.intercept == pytest.approx(empty, abs=1e-12)
    np.testing.assert_allclose(fit.coefficients, exact_shapley(value, m), atol=1e-9)
    assert fit_surrogate("shapley", X, y, np.ones(len(X))).intercept != pytest.approx(empty)


@pytest.mark.parametrize("interactions", [False, True])
@pytest.mark.parametrize("name", SURROGATES)
def test_only_shapley_passes_through_the_empty_response(name: str, interactions: bool) -> None:
    X, y, weights = noisy(5, 28)
    given = {"interactions": interactions}
    free = fit_surrogate(name, X, y, weights, **given)
    tied = fit_surrogate(name, X, y, weights, empty=0.0, **given)
    if name == "shapley":
        assert tied.intercept == pytest.approx(0, abs=1e-12)
        slopes = [*tied.coefficients, *(value for _, _, value in tied.interactions)]
        assert sum(slopes) == pytest.approx(y[0], abs=1e-12)
        assert tied.predicted[0] == pytest.approx(y[0], abs=1e-12)
    else:
        np.testing.assert_array_equal(tied.coefficients, free.coefficients)


def test_shapley_adds_up_to_full_minus_empty_when_sampled() -> None:
    X, y, weights = noisy(10, 40)
    fit = fit_surrogate("shapley", X, y, weights)
    assert fit.predicted[0] == pytest.approx(y[0], abs=1e-12)
    assert fit.coefficients.sum() == pytest.approx(y[0] - fit.intercept, abs=1e-12)
    assert fit.weights[0] == 0


def test_shapley_weights_by_hand() -> None:
    """m = 4: sizes 1 and 3 share 3/3 = 1 each, size 2 shares 3/4; divided by how many ran."""
    X = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0], [0, 1, 1, 1]])
    np.testing.assert_allclose(shapley_weights(X), [0, 1 / 2, 1 / 2, 3 / 4, 1])


def test_shapley_needs_the_full_instruction() -> None:
    X, y, weights = noisy()
    with pytest.raises(ValueError, match="full instruction"):
        fit_surrogate("shapley", X[1:], y[1:], weights[1:])


@pytest.mark.parametrize("name", SURROGATES)
def test_too_few_masks_are_flagged_and_solved(name: str) -> None:
    """Three of eight units were left out, once each; of the others nothing is known."""
    X, weights, _ = samples(8, 3)
    tried = np.flatnonzero((X == 0).any(axis=0))
    y = 1 - (1 - X) @ np.linspace(0.2, 0.9, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = fit_surrogate(name, X, y, weights)
        intervals = measure_uncertainty(name, X, y, weights).intervals()
    assert fit.deficient
    np.testing.assert_allclose(np.delete(fit.coefficients, tried), 0, atol=1e-12)
    np.testing.assert_array_equal(intervals, np.tile([-1.0, 1.0], (8, 1)))


def test_deficient_least_squares_has_minimum_norm() -> None:
    X, weights, _ = samples(6, 20)
    X[:, 1] = X[:, 0]  # two units that were always kept together
    fit = fit_surrogate("linear", X, X[:, 0], weights)
    assert fit.deficient
    np.testing.assert_allclose(fit.coefficients, [0.5, 0.5, 0, 0, 0, 0], atol=1e-12)


@pytest.mark.parametrize("name", ["linear", "ridge", "bayesian-ridge"])
def test_closed_form_leave_one_out_is_a_literal_refit(name: str) -> None:
    X, y, weights = noisy()
    fit = fit_surrogate(name, X, y, weights)
    left_out = np.empty(len(y))
    for i in range(len(y)):
        rest = np.arange(len(y)) != i
        model = Ridge(alpha=max(fit.penalty, 1e-12), solver="svd")
        model.fit(X[rest], y[rest], sample_weight=fit.weights[rest])
        left_out[i] = y[i] - model.predict(X[i : i + 1])[0]
    np.testing.assert_allclose((y - fit.predicted) / (1 - fit.leverage), left_out, rtol=1e-6)
    figures = fidelity(
        y, fit.predicted, fit.weights, n_parameters=fit.n_parameters, leverage=fit.leverage
    )
    mean = np.average(y, weights=weights)
    expected = 1 - (weights @ left_out**2) / (weights @ (y - mean) ** 2)
    assert figures["r2_w_loo"] == pytest.approx(expected, rel=1e-6)


def test_shapley_leave_one_out_is_a_literal_refit() -> None:
    X, y, weights = noisy(4, 14)
    fit = fit_surrogate("shapley", X, y, weights)
    for i in range(1, len(y)):
        rest = np.arange(len(y)) != i
        A, b = X[rest] - 1, y[rest] - y[0]
        root = np.sqrt(fit.weights[rest])
        slopes = np.linalg.lstsq(A * root[:, None], b * root, rcond=None)[0]
        error = y[i] - y[0] - (X[i] - 1) @ slopes
        assert (y[i] - fit.predicted[i]) / (1 - fit.leverage[i]) == pytest.approx(error)


@pytest.mark.parametrize("name", SURROGATES)
def test_the_pull_of_every_response_is_that_of_scikit_learn(name: str) -> None:
    """By a response of 1 in one sample, 0 in all others, at the penalty of the fit."""
    X, y, weights = noisy()
    penalty = fit_surrogate(name, X, y, weights).penalty
    problem = pose(name, X, y, weights, False)
    pulls = smoother(name, problem, penalty)
    root = np.sqrt(problem.weights)
    for column, alone in zip(pulls.T, np.eye(len(y)), strict=True):
        if name == "shapley":  # which keeps to the full instruction
            expected = np.linalg.lstsq(root[:, None] * (X - 1), root * alone, rcond=None)[0]
        elif name in ("ridge", "bayesian-ridge"):
            assert penalty > 1e-6
            expected = Ridge(alpha=penalty).fit(X, alone, sample_weight=problem.weights).coef_
        else:
            expected = LinearRegression().fit(X, alone, sample_weight=problem.weights).coef_
        np.testing.assert_allclose(column, expected, atol=1e-9)


def test_lasso_of_nothing_is_nothing() -> None:
    X, _, weights = noisy()
    flat = np.zeros(len(X))
    slopes, penalty, leverage = fit_lasso(np.sqrt(weights)[:, None] * X, flat, flat)
    assert not slopes.any()
    assert penalty == 0
    assert not leverage.any()


def test_refusals() -> None:
    X, y, weights = noisy()
    with pytest.raises(ConfigError, match="Unknown surrogate"):
        fit_surrogate("forest", X, y, weights)
    with pytest.raises(ValueError, match="do not match"):
        fit_surrogate("linear", X, y[1:], weights)
    with pytest.raises(ValueError, match="larger kernel width"):
        fit_surrogate("linear", X, y, 0 * weights)
