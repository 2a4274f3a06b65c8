"""t-SNE keeps groups together, repeats, and survives the smallest runs."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.decomposition import PCA

from smile_core.projection import principal_components, tsne


def test_groups_stay_together_and_apart() -> None:
    rng = np.random.default_rng(0)
    centres = 20 * np.eye(3, 40)[np.repeat([0, 1, 2], 15)]  # (45, 40)
    points = tsne(centres + rng.normal(size=(45, 40)), seed=0)
    groups = points.reshape(3, 15, 2)
    within = np.linalg.norm(groups - groups.mean(axis=1, keepdims=True), axis=2).mean()
    middles = groups.mean(axis=1)
    between = min(np.linalg.norm(middles[i] - middles[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert between > 2 * within


def test_same_seed_same_points() -> None:
    pooled = np.random.default_rng(1).normal(size=(20, 50)).astype(np.float32)
    np.testing.assert_array_equal(tsne(pooled, seed=4), tsne(pooled, seed=4))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 12])
def test_any_number_of_pictures(n: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points = tsne(np.random.default_rng(n).normal(size=(n, 30)), seed=0)
    assert points.shape == (n, 2)
    assert np.isfinite(points).all()
    assert len(np.unique(points.round(9), axis=0)) == n


@pytest.mark.parametrize("n", [3, 20])
def test_pictures_that_are_all_alike(n: int) -> None:
    np.testing.assert_allclose(tsne(np.ones((n, 30)), seed=0), 0, atol=1e-9)


def test_many_duplicates() -> None:
    pooled = np.repeat(np.random.default_rng(2).normal(size=(2, 30)), 10, axis=0)
    assert np.isfinite(tsne(pooled, seed=0)).all()


def test_principal_components_are_those_of_scikit_learn() -> None:
    pooled = np.random.default_rng(3).normal(size=(40, 30))
    expected = PCA(2, svd_solver="full").fit_transform(pooled)
    points = principal_components(pooled)
    np.testing.assert_allclose(np.abs(points), np.abs(expected), atol=1e-9)
    # The way round does not depend on the order of the pictures.
    np.testing.assert_allclose(principal_components(pooled[::-1])[::-1], points, atol=1e-9)


def test_later_pictures_are_placed_on_the_axes_of_the_first() -> None:
    pooled = np.random.default_rng(4).normal(size=(200, 30))
    np.testing.assert_allclose(
        principal_components(pooled)[:128], principal_components(pooled[:128]), atol=1e-9
    )


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_first_snapshots_have_few_pictures(n: int) -> None:
    points = principal_components(np.random.default_rng(n).normal(size=(n, 30)))
    assert points.shape == (n, 2)
    assert len(np.unique(points.round(9), axis=0)) == n
