"""Intervals hold the truth, and say so when there is nothing to hold it by."""

from __future__ import annotations

import numpy as np
import pytest

from smile_core.config import SURROGATES
from smile_core.explanation import AGAINST, DRIVES, NOTHING
from smile_core.resampling import bootstrap_intervals, verdict
from smile_core.surrogate import fit_surrogate
from tests.test_surrogate import TRUE, noisy, samples


@pytest.mark.parametrize("name", SURROGATES)
def test_intervals_hold_the_truth_about_as_often_as_they_say(name: str) -> None:
    """60 runs of 5 weights, 95 %: fewer than 85 % would be far outside chance."""
    inside = []
    for seed in range(60):
        X, weights, rng = samples(5, 28, seed)
        y = 0.2 + X @ TRUE + rng.normal(0, 0.05, len(X))
        ends = bootstrap_intervals(name, X, y, weights, rng=rng, n_boot=200)
        inside.append((ends[:, 0] <= TRUE) & (ends[:, 1] >= TRUE))
    assert np.mean(inside) > 0.85


@pytest.mark.parametrize("name", SURROGATES)
def test_intervals_repeat_narrow_and_hold_the_weight(name: str) -> None:
    X, y, weights = noisy()
    one, other = (
        bootstrap_intervals(name, X, y, weights, rng=np.random.default_rng(1)) for _ in "ab"
    )
    np.testing.assert_array_equal(one, other)
    fit = fit_surrogate(name, X, y, weights)
    assert (one[:, 0] <= fit.coefficients).all()
    assert (one[:, 1] >= fit.coefficients).all()
    narrow = bootstrap_intervals(name, X, y, weights, rng=np.random.default_rng(1), level=0.5)
    assert (np.diff(narrow) <= np.diff(one)).all()


def test_no_interval_before_there_is_more_than_one_answer_per_unit() -> None:
    """Every unit left out once, and nothing else: the fit is exact, and proves nothing."""
    X, weights, _ = samples(6, 6)
    intervals = bootstrap_intervals(
        "linear", X, X @ np.ones(6) / 6, weights, rng=np.random.default_rng(0)
    )
    np.testing.assert_array_equal(intervals, np.tile([-1.0, 1.0], (6, 1)))


def test_a_weight_that_hangs_on_one_sample_is_not_judged() -> None:
    X, weights, rng = samples(5, 20)
    X = np.column_stack([X, np.ones(len(X))])
    X[7, 5] = 0  # left out once only
    y = X @ [0.5, 0, 0, 0, 0, 0.4] + rng.normal(0, 0.01, len(X))
    intervals = bootstrap_intervals("linear", X, y, weights, rng=rng)
    np.testing.assert_array_equal(intervals[5], [-1, 1])
    assert verdict(*intervals[0]) == DRIVES


def test_verdicts() -> None:
    assert verdict(0.1, 0.4) == DRIVES
    assert verdict(-0.4, -0.1) == AGAINST
    assert verdict(-0.1, 0.1) == NOTHING
    assert verdict(1e-17, 2e-17) == NOTHING  # rounding is no effect
