"""Masks are unique, never empty, never full, and grow by appending."""

from __future__ import annotations

import numpy as np
import pytest

from smile_core.config import DESIGNS, ConfigError
from smile_core.masks import design_masks


def masks(n_units: int, n: int, design: str, seed: int = 0) -> np.ndarray:
    return design_masks(n_units, n, design=design, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(("n_units", "n"), [(2, 64), (3, 4), (6, 64), (8, 300), (17, 64), (64, 50)])
def test_valid_and_unique(design: str, n_units: int, n: int) -> None:
    rows = masks(n_units, n, design)
    assert rows.shape == (min(n, 2**n_units - 2), n_units)
    assert rows.dtype == np.int8
    assert set(np.unique(rows)) == {0, 1}
    assert rows.any(axis=1).all()
    assert not rows.all(axis=1).any()
    assert len(np.unique(rows, axis=0)) == len(rows)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("n_units", [4, 9, 16, 17, 40])
def test_fewer_masks_are_the_first_of_more(design: str, n_units: int) -> None:
    most = masks(n_units, 700, design)
    for n in (1, 3, 13, 14, 64, 257, 699):
        fewer = masks(n_units, n, design)
        np.testing.assert_array_equal(fewer, most[: len(fewer)])


@pytest.mark.parametrize("design", DESIGNS)
def test_seed_decides(design: str) -> None:
    np.testing.assert_array_equal(masks(9, 64, design, 3), masks(9, 64, design, 3))
    assert not np.array_equal(masks(9, 64, design, 3), masks(9, 64, design, 4))


def test_balanced_leaves_each_unit_out_once_and_then_pairs_up() -> None:
    rows = masks(20, 60, "balanced")
    np.testing.assert_array_equal(np.sort(np.argmin(rows[:20], axis=1)), np.arange(20))
    assert (rows[:20].sum(axis=1) == 19).all()
    np.testing.assert_array_equal(rows[20::2] + rows[21::2], np.ones((20, 20)))


def test_balanced_keeps_every_unit_half_of_the_time_when_all_are_run() -> None:
    rows = masks(6, 62, "balanced")
    np.testing.assert_array_equal(rows.sum(axis=0), np.full(6, 31))


def test_bernoulli_keeps_units_half_of_the_time() -> None:
    # 4,096 x 30 fair coins: the share lies within 5 standard deviations of 1/2.
    share = masks(30, 4096, "bernoulli").mean()
    assert abs(share - 0.5) < 5 * 0.5 / np.sqrt(4096 * 30)


def test_largest_run_is_quick() -> None:
    assert masks(64, 4096, "balanced").shape == (4096, 64)


@pytest.mark.parametrize(("n_units", "n", "hint"), [(1, 5, "two units"), (4, 0, "at least 1")])
def test_impossible_requests_are_refused(n_units: int, n: int, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        masks(n_units, n, "balanced")
