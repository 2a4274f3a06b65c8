"""Every image distance against an independent oracle."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import ot
import pytest
from PIL import Image
from scipy import stats
from scipy.linalg import sqrtm
from sklearn.datasets import load_sample_image

from smile_core.config import IMAGE_DISTANCES, ConfigError
from smile_core.encoders import Features, load_encoder
from smile_core.image_distance import distances_to_reference

RNG = np.random.default_rng(0)
CLOUDS = ("wasserstein", "transport-cost", "sliced-wasserstein", "gaussian-w2", "energy")
POOLED = ("wasserstein-1d", "kolmogorov-smirnov", "cramer-von-mises")


def features(n: int, tokens: int = 9, dimension: int = 6) -> Features:
    clouds = RNG.standard_normal((n, tokens, dimension)).astype(np.float32)
    return Features(tokens=clouds, pooled=clouds.mean(axis=1))


def first(these: Features) -> Features:
    return Features(tokens=these.tokens[:1], pooled=these.pooled[:1])


def on_a_line(*samples: np.ndarray) -> Features:
    """Give one-dimensional samples as tokens and as pooled coordinates alike."""
    values = np.array(samples, dtype=np.float32)
    return Features(tokens=values[:, :, None], pooled=values)


@pytest.mark.parametrize("name", IMAGE_DISTANCES)
def test_zero_for_itself_and_positive_for_others(name: str) -> None:
    these = features(5)
    distances = distances_to_reference(name, first(these), these)
    assert distances.shape == (5,)
    assert distances[0] == 0
    assert (distances[1:] > 0).all()


@pytest.mark.parametrize("name", IMAGE_DISTANCES)
def test_float32_rounding_is_no_distance(name: str) -> None:
    these = features(1, 49, 64)
    nudged = Features(tokens=these.tokens * (1 + 2e-6), pooled=these.pooled * (1 - 2e-6))
    assert distances_to_reference(name, these, nudged)[0] == 0


def test_one_grey_level_in_one_pixel_is_a_distance() -> None:
    pixels = load_sample_image("china.jpg")[:224, :224].copy()
    picture = Image.fromarray(pixels)
    pixels[0, 0] ^= 1
    these = load_encoder("efficientnet-lite0").encode([picture, picture, Image.fromarray(pixels)])
    same, other = distances_to_reference("wasserstein", first(these), these)[1:]
    assert same == 0
    assert other > 0


@pytest.mark.parametrize("name", IMAGE_DISTANCES)
def test_batches_do_not_matter(name: str) -> None:
    these = features(6)
    together = distances_to_reference(name, first(these), these, seed=3)
    part = Features(tokens=these.tokens[4:], pooled=these.pooled[4:])
    np.testing.assert_array_equal(
        distances_to_reference(name, first(these), part, seed=3), together[4:]
    )


@pytest.mark.parametrize("name", CLOUDS)
def test_order_of_tokens_does_not_matter(name: str) -> None:
    these = features(2)
    shuffled = Features(tokens=these.tokens[:, RNG.permutation(9)], pooled=these.pooled)
    np.testing.assert_allclose(
        distances_to_reference(name, first(these), shuffled),
        distances_to_reference(name, first(these), these),
        atol=1e-6,
    )


@pytest.mark.parametrize("name", POOLED)
def test_published_distances_are_blind_to_permuted_coordinates(name: str) -> None:
    """Not a wish but a fact the documentation states."""
    these = features(1, dimension=40)
    pooled = np.roll(these.pooled, 1, axis=1)
    permuted = Features(tokens=np.roll(these.tokens, 1, axis=2), pooled=pooled)
    assert distances_to_reference(name, these, permuted)[0] == pytest.approx(0, abs=1e-12)
    assert distances_to_reference("cosine", these, permuted)[0] > 0.1


@pytest.mark.parametrize("order", [1.0, 2.0, 3.5])
def test_wasserstein_is_the_best_assignment(order: float) -> None:
    these = features(2, tokens=6)
    a, b = these.tokens.astype(float)
    cost = np.linalg.norm(a[:, None] - b[None], axis=2) ** order
    best = min(cost[range(6), list(choice)].mean() for choice in permutations(range(6)))
    measured = distances_to_reference("wasserstein", first(these), these, order=order)[1]
    assert measured == pytest.approx(best ** (1 / order), rel=1e-9)
    cost = distances_to_reference("transport-cost", first(these), these, order=order)[1]
    assert cost == pytest.approx(best, rel=1e-9)


def test_transport_costs_of_effects_at_right_angles_add_up() -> None:
    """Two shifts along different axes: the cost of both is the sum, its root is not."""
    start = RNG.standard_normal((9, 6)).astype(np.float32)
    one, other = np.eye(6, dtype=np.float32)[:2] * [[3.0], [4.0]]
    clouds = np.float32([start, start + one, start + other, start + one + other])
    these = Features(tokens=clouds, pooled=clouds.mean(axis=1))
    _, *costs = distances_to_reference("transport-cost", first(these), these, order=2)
    assert costs == pytest.approx([9, 16, 25], rel=1e-5)
    _, *roots = distances_to_reference("wasserstein", first(these), these, order=2)
    assert roots == pytest.approx([3, 4, 5], rel=1e-5)


def test_wasserstein_on_a_line_is_scipys() -> None:
    a, b = RNG.standard_normal((2, 50))
    these = on_a_line(a, b)
    expected = stats.wasserstein_distance(these.pooled[0], these.pooled[1])
    for name in ("wasserstein", "wasserstein-1d", "sliced-wasserstein"):
        measured = distances_to_reference(name, first(these), these, order=1)[1]
        assert measured == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("order", [1.0, 2.0, 4.0])
def test_one_dimensional_wasserstein_is_pots(order: float) -> None:
    these = on_a_line(*RNG.standard_normal((2, 60)))
    a, b = these.pooled.astype(float)
    expected = ot.wasserstein_1d(a, b, p=order) ** (1 / order)
    measured = distances_to_reference("wasserstein-1d", first(these), these, order=order)[1]
    assert measured == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("order", [1.0, 2.0])
def test_sliced_wasserstein_is_pots(order: float) -> None:
    these = features(2, tokens=20, dimension=5)
    a, b = these.tokens.astype(float)
    measured = distances_to_reference("sliced-wasserstein", first(these), these, order=order)[1]
    expected = ot.sliced_wasserstein_distance(a, b, n_projections=20_000, seed=1, p=order)
    assert measured == pytest.approx(float(expected), rel=0.05)  # 256 random directions


def test_gaussian_w2_is_the_bures_formula() -> None:
    these = features(2, tokens=40, dimension=5)
    a, b = these.tokens.astype(float)
    cov_a, cov_b = np.cov(a.T, bias=True), np.cov(b.T, bias=True)
    root = sqrtm(cov_a)
    cross = sqrtm(root @ cov_b @ root).real
    squared = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(cov_a + cov_b - 2 * cross)
    measured = distances_to_reference("gaussian-w2", first(these), these)[1]
    assert measured == pytest.approx(np.sqrt(squared), rel=1e-6)
    pots = ot.gaussian.bures_wasserstein_distance(a.mean(0), b.mean(0), cov_a, cov_b)
    assert measured == pytest.approx(float(pots), rel=1e-6)


def test_gaussian_w2_of_a_shift_and_a_stretch_in_closed_form() -> None:
    cloud = RNG.standard_normal((30, 4))
    cloud -= cloud.mean(axis=0)
    tokens = np.array([cloud, cloud + 3.0, 2 * cloud], dtype=np.float32)
    these = Features(tokens=tokens, pooled=tokens.mean(axis=1))
    measured = distances_to_reference("gaussian-w2", first(these), these)
    assert measured[1] == pytest.approx(6.0, rel=1e-5)  # |(3, 3, 3, 3)|
    assert measured[2] == pytest.approx(np.sqrt(cloud.var(axis=0).sum()), rel=1e-5)


def test_energy_on_a_line_is_scipys() -> None:
    these = on_a_line(*RNG.standard_normal((2, 50)))
    expected = stats.energy_distance(these.pooled[0], these.pooled[1])
    measured = distances_to_reference("energy", first(these), these)[1]
    assert measured == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("tied", [False, True])
def test_kolmogorov_smirnov_is_scipys(tied: bool) -> None:
    a, b = RNG.standard_normal((2, 50))
    b += 0.3
    if tied:
        a, b = a.round(), b.round()
    these = on_a_line(a, b)
    measured = distances_to_reference("kolmogorov-smirnov", first(these), these)[1]
    assert measured == pytest.approx(stats.ks_2samp(a, b).statistic)


def test_cramer_von_mises_is_scipys_statistic_rescaled() -> None:
    """Anderson's T is NM/(N + M)² times the sum over the joint sample: N/2 times the mean."""
    these = on_a_line(*RNG.standard_normal((2, 50)))
    a, b = these.pooled.astype(float)
    measured = distances_to_reference("cramer-von-mises", first(these), these)[1]
    assert measured**2 * 50 / 2 == pytest.approx(stats.cramervonmises_2samp(a, b).statistic)


def test_cosine_and_its_mixture() -> None:
    pooled = np.array([[1, 0], [0, 2], [-3, 0], [1, 1]], dtype=np.float32)
    these = Features(tokens=pooled[:, None], pooled=pooled)
    cosine = distances_to_reference("cosine", first(these), these)
    np.testing.assert_allclose(cosine, [0, 1, 2, 1 - np.sqrt(0.5)], atol=1e-7)
    # One token of norm 1: transport is the plain distance, and the scale is 1.
    mixed = distances_to_reference("wasserstein+cosine", first(these), these)
    plain = np.linalg.norm(pooled - pooled[0], axis=1)
    np.testing.assert_allclose(mixed, (plain + cosine) / 2, atol=1e-7)


def test_refusals() -> None:
    these = features(2)
    with pytest.raises(ConfigError, match="Did you mean 'wasserstein'"):
        distances_to_reference("waserstein", first(these), these)
    with pytest.raises(ValueError, match="one picture, not 2"):
        distances_to_reference("wasserstein", these, these)
    with pytest.raises(ValueError, match="Use one encoder"):
        distances_to_reference("wasserstein", first(these), features(2, dimension=7))
    blank = Features(tokens=np.zeros((1, 9, 6), np.float32), pooled=np.zeros((1, 6), np.float32))
    with pytest.raises(ValueError, match="all-zero"):
        distances_to_reference("cosine", first(these), blank)
