"""Consistency by hand."""

from __future__ import annotations

import numpy as np
import pytest

from smile_core.evaluation.consistency import (
    Needed,
    consistency,
    perturbations_needed,
    seeds_needed,
)


def test_by_hand() -> None:
    result = consistency([[1.0, 0.5], [3.0, 0.5], [2.0, 0.5]])
    np.testing.assert_allclose(result.variance, [1, 0])
    np.testing.assert_allclose(result.sd, [1, 0])
    assert result.mean_variance == pytest.approx(0.5)
    assert result.mean_sd == pytest.approx(0.5)


@pytest.mark.parametrize("repeats", [[[1.0, 2.0]], [1.0, 2.0]])
def test_one_answer_shows_no_consistency(repeats: list) -> None:
    with pytest.raises(ValueError, match="at least two repeats"):
        consistency(repeats)


def test_seeds_by_hand() -> None:
    """Four seeds halve the spread, and nine bring it to a third."""
    assert seeds_needed(0.1, 0.1) == Needed(1, True)
    assert seeds_needed(0.1, 0.05) == Needed(4, False)
    assert seeds_needed(0.3, 0.1) == Needed(9, False)
    assert seeds_needed(0.0, 0.1) == Needed(1, True)


def test_seeds_hold_what_they_promise() -> None:
    rng = np.random.default_rng(0)
    needed = seeds_needed(0.2, 0.05)
    means = rng.normal(0, 0.2, (20_000, needed.count)).mean(axis=1)
    assert means.std() == pytest.approx(0.05, rel=0.03)


def test_perturbations_by_hand() -> None:
    measured = {16: 0.2, 32: 0.09, 64: 0.12, 128: 0.05}
    assert perturbations_needed(measured, 0.1) == Needed(128, True)  # 64 is not under it
    assert perturbations_needed(measured, 0.12) == Needed(32, True)
    assert perturbations_needed(measured, 0.5) == Needed(16, True)
    # SD = 0.8/√n: 0.05 at 256, from two points or from one.
    assert perturbations_needed({16: 0.2, 64: 0.1}, 0.05) == Needed(256, False)
    assert perturbations_needed({16: 0.2}, 0.05) == Needed(256, False)
    assert perturbations_needed({16: 0.2, 64: 0.3}, 0.05) == Needed(None, False)
    # Where it hardly falls, the line meets the target beyond any run, or beyond any number.
    assert perturbations_needed({16: 0.2, 32: 0.1999}, 0.05) == Needed(None, False)
    assert perturbations_needed({16: 0.8}, 0.05) == Needed(4096, False)
    assert perturbations_needed({16: 0.81}, 0.05) == Needed(None, False)


def test_refusals() -> None:
    for ask in (
        lambda: seeds_needed(0.1, 0.0),
        lambda: seeds_needed(-0.1, 0.1),
        lambda: perturbations_needed({8: 0.1}, -1.0),
        lambda: perturbations_needed({}, 0.1),
    ):
        with pytest.raises(ValueError, match=r"target|at least one"):
            ask()
